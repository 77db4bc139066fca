"""The Python SDK `wechatpayv3`, as its README says. It has no smart-retail call, so its core makes it."""

import json

import worker
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.type import RequestType

told = worker.TOLD
held = told["secret"]
sdk = WeChatPay(
    wechatpay_type=WeChatPayType.NATIVE,
    mchid=held["mchid"],
    private_key=held["merchant_private_key"],
    cert_serial_no=held["merchant_serial_no"],
    apiv3_key=held["api_v3_key"],
    appid=held["appid"],
    notify_url="https://127.0.0.1/",
    public_key=held["wechatpay_public_key"],
    public_key_id=held["wechatpay_public_key_id"],
    timeout=(2, 10),
)
sdk._core._gate_way = told["host"]


def complete(_number: int) -> None:
    """Complete the order."""
    status, text = sdk._core.request(told["target"], RequestType.POST, told["body"])
    if status != 200 or json.loads(text)["out_order_no"] != told["event"]["out_order_no"]:
        raise SystemExit("the order was not completed")


if __name__ == "__main__":
    worker.serve(complete)
