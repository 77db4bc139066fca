"""Every rule about WeChat Pay carries its source, in the product and in the simulator alike."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = ("wechatpay", "complete_order", "query_order", "payment_notification", "wechatpay_sandbox")
PROGRAMS = ("app", "__main__")  # they start something when they are imported
# What the letters mean: `wechatpay.fields`.
SOURCE = re.compile(r"[VTID](: | for ).*\S")
# Their page is named once, beside the table: a letter alone is enough.
LETTER_ALONE = "wechatpay.reply_rules"
# A table that moves away is followed here, so that none is left unread.
RULED = {
    "wechatpay.reply_rules",
    "wechatpay.secret_rules",
    "wechatpay.service_order",
    "complete_order.event_rules",
    "complete_order.relations",
    "complete_order.family_rules",
    "wechatpay_sandbox.ruleset",
    "wechatpay_sandbox.smart_retail_rules",
    "wechatpay_sandbox.service_order_rules",
}


def modules() -> Iterator[ModuleType]:
    for package in PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if module.name.rpartition(".")[2] not in PROGRAMS:
                yield importlib.import_module(module.name)


def rules_in(value: Any, seen: set[int]) -> Iterator[Any]:
    """Every object with a source in tables and in what tables hold."""
    ours = type(value).__module__.partition(".")[0] in PACKAGES
    if id(value) in seen or isinstance(value, type):
        return
    seen.add(id(value))
    if ours and hasattr(value, "source"):
        yield value
    if isinstance(value, Mapping):
        parts = list(value.values())
    elif isinstance(value, tuple | list | set | frozenset):
        parts = list(value)
    else:
        parts = list(vars(value).values()) if ours and hasattr(value, "__dict__") else []
    for part in parts:
        yield from rules_in(part, seen)


def test_every_rule_begins_with_how_sure_it_is() -> None:
    ruled = set()
    for module in modules():
        for rule in rules_in(vars(module), set()):
            letter = module.__name__ == LETTER_ALONE and rule.source in ("V", "T", "I", "D")
            assert letter or SOURCE.fullmatch(rule.source), (module.__name__, rule)
            ruled.add(module.__name__)
    assert ruled >= RULED


def test_an_event_is_refused_by_tables_and_by_no_rule_in_words() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "functions/complete_order").glob("*.py")]
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    refusals = [
        node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("wrong")
    ]
    assert refusals
    for call in refusals:
        assert all(isinstance(each, ast.Name) for each in call.args), ast.unparse(call)
        assert not call.keywords
