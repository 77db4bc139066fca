"""A rule about WeChat Pay carries its source, in the product and in the simulator alike.

A rule is an entry of a table: a call of a class that has a field `source`. The source is a text that begins
with how sure it is: V, T, I or D (`wechatpay.fields` says what they mean). It may be taken from another rule.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

# The layer and the functions share the classes of their rules, the simulator has its own.
PLACES = (("layers/wechatpay", "functions"), ("simulator",))
# These hold rules. A table that moves away is followed here, so that none is left unread.
RULED = (
    "layers/wechatpay/wechatpay/reply_rules.py",
    "layers/wechatpay/wechatpay/secret_rules.py",
    "functions/complete_order/event_rules.py",
    "functions/complete_order/relations.py",
    "functions/complete_order/family_rules.py",
)
# What an event is refused by is a table: a rule in words at the place of its use would have no source.
BY_TABLES = "functions/complete_order"
SOURCE = re.compile(r"[VTID](:|,| for|$)")


def check(root: Path) -> list[str]:
    """Each rule without a source, and each file of rules that has none."""
    problems = []
    for places in PLACES:
        trees = {
            str(path.relative_to(root)): ast.parse(path.read_text(encoding="utf-8"), str(path))
            for place in places
            for path in sorted((root / place).rglob("*.py"))
        }
        classes = dict(each for tree in trees.values() for each in _rule_classes(tree))
        for path, tree in trees.items():
            calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
            rules = [call for call in calls if _name(call) in classes]
            problems += [
                f"{path}:{rule.lineno}: {why}"
                for rule in rules
                if (why := _fault(rule, classes[_name(rule)]))
            ]
            if path in RULED and not rules:
                problems.append(f"{path}: holds no rule")
            if path.startswith(BY_TABLES):
                problems += [
                    f"{path}:{call.lineno}: a rule in words, in no table" for call in calls if _in_words(call)
                ]
    return problems


def _rule_classes(tree: ast.Module) -> Iterator[tuple[str, Sequence[str]]]:
    """Each class that has a field `source`, with its fields in the order of their arguments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            fields = [
                each.target.id
                for each in node.body
                if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
            ]
            if "source" in fields:
                yield node.name, fields


def _name(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _fault(rule: ast.Call, fields: Sequence[str]) -> str:
    """Return what is wrong with the source of a rule; empty when nothing is."""
    given: Mapping[str | None, ast.expr] = {
        **dict(zip(fields, rule.args, strict=False)),
        **{keyword.arg: keyword.value for keyword in rule.keywords},
    }
    source = given.get("source")
    if source is None:
        return "a rule without a source"
    if isinstance(source, ast.Constant) and not (
        isinstance(source.value, str) and SOURCE.match(source.value)
    ):
        return "a source begins with V, T, I or D"
    return ""


def _in_words(call: ast.Call) -> bool:
    return _name(call) == "wrong" and any(
        isinstance(argument, ast.Constant | ast.JoinedStr) for argument in call.args
    )
