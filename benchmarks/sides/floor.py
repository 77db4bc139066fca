"""The floor: the least a program of the same libraries must do to complete an order and believe the answer.

One kept session, one signature, one verification; no validation of the order, no kinds of errors, no logs.
"""

import base64
import json
import secrets
import time

import requests
import worker
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

settings = worker.SETTINGS
secret = settings["secret"]
private_key = load_pem_private_key(secret["merchant_private_key"].encode(), password=None)
public_key = load_pem_public_key(secret["wechatpay_public_key"].encode())
session = requests.Session()
session.trust_env = False
session.verify = settings["ca_file"]
target = settings["target"]


def complete(_number: int) -> None:
    """Complete the order."""
    body = json.dumps(settings["body"], ensure_ascii=False).encode()
    timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
    message = f"POST\n{target}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"
    signature = base64.b64encode(private_key.sign(message, PKCS1v15(), SHA256())).decode()
    reply = session.post(
        settings["host"] + target,
        data=body,
        headers={
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "floor",
            "Wechatpay-Serial": secret["wechatpay_public_key_id"],
            "Authorization": f'WECHATPAY2-SHA256-RSA2048 mchid="{secret["mchid"]}",nonce_str="{nonce}",'
            f'timestamp="{timestamp}",serial_no="{secret["merchant_serial_no"]}",signature="{signature}"',
        },
        timeout=10,
    )
    signed = f"{reply.headers['Wechatpay-Timestamp']}\n{reply.headers['Wechatpay-Nonce']}\n".encode()
    public_key.verify(
        base64.b64decode(reply.headers["Wechatpay-Signature"]),
        signed + reply.content + b"\n",
        PKCS1v15(),
        SHA256(),
    )
    if reply.status_code != 200 or reply.json()["out_order_no"] != settings["event"]["out_order_no"]:
        raise SystemExit("the order was not completed")


if __name__ == "__main__":
    worker.serve(complete)
