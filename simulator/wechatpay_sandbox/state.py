"""What is kept from one start to the next: the merchant, its files, and the state of the world.

The merchant: its number, app and service, its keys, old and new, and WeChat Pay's. The world: orders, purses,
tolerated rules, both clocks, planned faults and chaos, and notifications with the attempts that are left. Not
kept: the record of requests, nonces, latency, and hosts that are down.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wechatpay_sandbox import MCHID, Mode
from wechatpay_sandbox.core import Core
from wechatpay_sandbox.keys import Keys
from wechatpay_sandbox.order import Order

KEYS = "keys.json"
WORLD = "world.json"


class State:
    """A directory, readable by its owner alone; unless ``whole`` only the merchant's files stand in it."""

    def __init__(self, directory: Path, *, whole: bool) -> None:
        self.directory = directory
        self.merchant_files = directory / "merchant"
        self._whole = whole
        self._written: dict[Path, str] = {}
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)  # parents of their own have the usual mode
        self.merchant_files.mkdir(exist_ok=True, mode=0o700)

    def keys(self, mchid: str | None, mode: Mode | None) -> Keys:
        """The keys kept here, or new ones. ValueError: another merchant's, or not written by this release."""
        document = self._read(KEYS)
        if document is None:
            return Keys(MCHID if mchid is None else mchid, mode or "public_key")
        try:
            return Keys.from_json(document, mchid, mode)
        except (KeyError, TypeError, AttributeError) as exc:
            raise self._foreign(KEYS) from exc

    def restore(self, core: Core) -> None:
        """Make the world what it was when it was kept. ValueError: not written by this release."""
        document = self._read(WORLD)
        if document is None:
            return
        try:
            core.orders.appid, core.orders.service_id = document["appid"], document["service_id"]
            core.orders.purses.update(document["purses"])
            for each in document["orders"]:
                core.orders.keep(Order.from_json(each))
            core.rules.tolerate(document["tolerated"])
            core.clock_skew, core.clock_offset = document["clock_skew"], document["clock_offset"]
            core.misbehaviour.restore(document["misbehaviour"])
            core.outbox.restore(document["notifications"])
        except (KeyError, TypeError, AttributeError, ValueError) as exc:
            raise self._foreign(WORLD) from exc

    def keep(self, core: Core) -> None:
        """Write what has changed since the last time: merchant's files, keys, world."""
        keys = core.keys
        files = merchant_files(keys.secret("", ""), keys.merchant.pem)
        for name, text in files.items():
            self._write(self.merchant_files / name, text)
        if "pub_key.pem" not in files:
            (self.merchant_files / "pub_key.pem").unlink(missing_ok=True)
            self._written.pop(self.merchant_files / "pub_key.pem", None)
        if self._whole:
            self._write(self.directory / KEYS, json.dumps(keys.to_json()))
            self._write(self.directory / WORLD, json.dumps(_world(core), ensure_ascii=False))

    def _read(self, name: str) -> Any:
        path = self.directory / name
        if not self._whole or not path.exists():
            return None
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except ValueError as exc:
            raise self._foreign(name) from exc

    def _foreign(self, name: str) -> ValueError:
        return ValueError(f"{self.directory / name} was not written by this release of the sandbox")

    def _write(self, path: Path, text: str) -> None:
        if text != self._written.get(path):
            write(path, text)
            self._written[path] = text


def _world(core: Core) -> dict[str, Any]:
    return {
        "appid": core.orders.appid,
        "service_id": core.orders.service_id,
        "purses": core.orders.purses,
        "orders": [order.to_json() for order in core.orders.stored()],
        "tolerated": sorted(core.rules.tolerated),
        "clock_skew": core.clock_skew,
        "clock_offset": core.clock_offset,
        "misbehaviour": core.misbehaviour.to_json(),
        "notifications": core.outbox.to_json(core.now()),
    }


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


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by this user alone."""
    new = path.with_name(f".{path.name}.new")
    new.touch(mode=0o600)
    new.chmod(0o600)
    new.write_text(text, encoding="utf-8")
    new.replace(path)
