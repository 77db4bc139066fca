"""All rules of the sandbox, by name."""

from collections.abc import Mapping

from wechatpay_sandbox import service_order_rules, smart_retail_rules
from wechatpay_sandbox.fields import REQUEST_RULES, field_rules
from wechatpay_sandbox.order_rules import ORDER_RULES, SYNC
from wechatpay_sandbox.rules import Rule, table
from wechatpay_sandbox.verifier import SIGNATURE_RULES

RULES: Mapping[str, Rule] = table(
    Rule(
        "request.path",
        "T: probed: an unknown path is a 404 with an empty body, whoever asks",
        "there is no such call, or not by this method",
        "",
        404,
        "",
        firm=True,
        gateway=True,
    ),
    Rule(
        "certificates.public_key_merchant",
        "V: 404 RESOURCE_NOT_EXISTS means a public-key merchant",
        "the merchant verifies with WeChat Pay's public key: it has no platform certificates",
        "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥",
        404,
        "RESOURCE_NOT_EXISTS",
        firm=True,
    ),
    *SIGNATURE_RULES.values(),
    *REQUEST_RULES.values(),
    *ORDER_RULES.values(),
    *field_rules("sync", SYNC).values(),
    *smart_retail_rules.RULES.values(),
    *service_order_rules.RULES.values(),
)
