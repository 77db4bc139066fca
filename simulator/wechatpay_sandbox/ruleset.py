"""All rules of the sandbox, by name."""

from collections.abc import Mapping

from wechatpay_sandbox import service_order_rules, smart_retail_rules
from wechatpay_sandbox.fields import REQUEST_RULES, field_rules
from wechatpay_sandbox.order_rules import ORDER_RULES, SYNC
from wechatpay_sandbox.rules import Rule, merge
from wechatpay_sandbox.verifier import SIGNATURE_RULES

_CALLS = {
    "request.path": Rule(
        "T: probed: an unknown path is a 404 with an empty body, whoever asks",
        "there is no such call, or not by this method",
        "",
        404,
        "",
        firm=True,
        gateway=True,
    ),
    "certificates.public_key_merchant": Rule(
        "V: 404 RESOURCE_NOT_EXISTS means a public-key merchant",
        "the merchant verifies with WeChat Pay's public key: it has no platform certificates",
        "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥",
        404,
        "RESOURCE_NOT_EXISTS",
        firm=True,
    ),
}
RULES: Mapping[str, Rule] = merge(
    _CALLS,
    SIGNATURE_RULES,
    REQUEST_RULES,
    ORDER_RULES,
    field_rules("sync", SYNC),
    smart_retail_rules.RULES,
    service_order_rules.RULES,
)
