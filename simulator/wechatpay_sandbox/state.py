"""What is kept from one start to the next: the merchant's files, WeChat Pay's keys, the orders."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wechatpay_sandbox.keys import Keys, Mode
from wechatpay_sandbox.orders import Order, Orders

ORDERS = "orders.json"
KEYS = "keys.json"


class State:
    """A directory, readable by its owner alone."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._written: dict[str, str] = {}

    def keys(self, mchid: str, mode: Mode) -> Keys:
        """The keys kept here, or new ones. ValueError: another merchant's, or not written by this release."""
        path = self.directory / KEYS
        if path.exists():
            try:
                return Keys.from_json(json.loads(path.read_text()), mchid, mode)
            except (KeyError, TypeError) as exc:
                raise ValueError(f"{path} was not written by this release of the sandbox") from exc
        return Keys(mchid, mode)

    def keep(self, keys: Keys, orders: Orders) -> None:
        """Keep keys, orders and purses as they are, unless nothing has changed."""
        kept = [order.to_json() for order in orders.kept()]
        self._write(KEYS, keys.to_json())
        self._write(ORDERS, {"purses": orders.purses, "orders": kept})

    def read_orders(self, orders: Orders) -> None:
        """Put the orders and purses kept here into the world."""
        path = self.directory / ORDERS
        if path.exists():
            kept = json.loads(path.read_text())
            orders.purses.update(kept["purses"])
            for document in kept["orders"]:
                orders.keep(Order.from_json(document))

    def _write(self, name: str, document: Mapping[str, Any]) -> None:
        text = json.dumps(document, ensure_ascii=False)
        if text != self._written.get(name):
            write(self.directory / name, text)
            self._written[name] = text


def merchant_files(secret: Mapping[str, Any], certificate_pem: str) -> dict[str, str]:
    """A merchant's files by their names, as WeChat Pay hands them out."""
    files = {
        "apiclient_key.pem": secret["merchant_private_key"],
        "apiclient_cert.pem": certificate_pem,
        "api_v3_key.txt": f"{secret['api_v3_key']}\n",
    }
    if "wechatpay_public_key" in secret:
        files["pub_key.pem"] = secret["wechatpay_public_key"]
    return files


def write_merchant_files(directory: Path, secret: Mapping[str, Any], certificate_pem: str) -> None:
    """Write a merchant's files, readable by this user alone."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, text in merchant_files(secret, certificate_pem).items():
        write(directory / name, text)


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by this user alone."""
    new = path.with_name(f".{path.name}.new")
    new.touch(mode=0o600)
    new.chmod(0o600)
    new.write_text(text, encoding="utf-8")
    new.replace(path)
