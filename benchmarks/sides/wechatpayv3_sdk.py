"""The Python SDK `wechatpayv3`, as its README says. It has no smart-retail call, so its core makes it."""

import json

import worker
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.type import RequestType

settings = worker.SETTINGS
secret = settings["secret"]
sdk = WeChatPay(
    wechatpay_type=WeChatPayType.NATIVE,
    mchid=secret["mchid"],
    private_key=secret["merchant_private_key"],
    cert_serial_no=secret["merchant_serial_no"],
    apiv3_key=secret["api_v3_key"],
    appid=secret["appid"],
    notify_url="https://127.0.0.1/",
    public_key=secret["wechatpay_public_key"],
    public_key_id=secret["wechatpay_public_key_id"],
    timeout=(2, 10),
)
sdk._core._gate_way = settings["host"]


def complete(_number: int) -> None:
    """Complete the order."""
    status, text = sdk._core.request(settings["target"], RequestType.POST, settings["body"])
    if status != 200 or json.loads(text)["out_order_no"] != settings["event"]["out_order_no"]:
        raise SystemExit("the order was not completed")


if __name__ == "__main__":
    worker.serve(complete)
