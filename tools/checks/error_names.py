"""Names of errors are a contract between the functions and the state machine, in both directions.

A Retry on a class that nobody raises never fires; a class that may still succeed and is in no Retry loses its
24 hours. Names with a dot (`States.Timeout`, `Lambda.Unknown`) are the platform's.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

BASE = "SettlementError"
# Fails the Task itself, so that a redrive runs it again once the merchant is fixed.
NEVER_RETRIED = frozenset({"MerchantMisconfigured"})


def check(root: Path) -> list[str]:
    """Each name that one side has and the other lacks."""
    defined, raised = classes(root)
    problems = [f"{name} is a {BASE} and never raised" for name in sorted(defined - raised)]
    for source in sorted((root / "statemachine").glob("*.asl.yaml")):
        for state, retried in retries(source):
            where = f"{source.name}, {state}"
            problems += [
                f"{where}: retries {name}, which nothing raises" for name in sorted(retried - defined)
            ]
            problems += [
                f"{where}: retries {name}, which must fail the Task"
                for name in sorted(retried & NEVER_RETRIED)
            ]
            problems += [
                f"{where}: does not retry {name}" for name in sorted(defined - NEVER_RETRIED - retried)
            ]
    return problems


def retries(source: Path) -> Iterator[tuple[str, set[str]]]:
    """Each Task that invokes a function, with the names of ours that it retries."""
    states: dict[str, dict[str, Any]] = yaml.safe_load(source.read_text(encoding="utf-8"))["States"]
    for name, state in states.items():
        if state["Type"] == "Task" and state["Resource"].endswith(":lambda:invoke"):
            errors = [error for retrier in state.get("Retry", []) for error in retrier["ErrorEquals"]]
            yield name, {error for error in errors if "." not in error}


def classes(root: Path) -> tuple[set[str], set[str]]:
    """The classes derived from `SettlementError`, and those of them that shipped code may raise.

    A class need not stand in the `raise` itself, it may come out of a table: any use counts but catching it.
    """
    trees = [
        ast.parse(path.read_text(encoding="utf-8"), str(path))
        for top in ("layers/wechatpay", "functions")
        for path in sorted((root / top).rglob("*.py"))
    ]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    defined = {node.name for node in nodes if isinstance(node, ast.ClassDef) and BASE in _names(*node.bases)}
    handlers = [node.type for node in nodes if isinstance(node, ast.ExceptHandler) and node.type]
    caught = {id(name) for handler in handlers for name in ast.walk(handler)}
    used = {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in caught}
    return defined, defined & used


def _names(*expressions: ast.expr) -> set[str]:
    """Every bare name in these expressions."""
    return {
        node.id for expression in expressions for node in ast.walk(expression) if isinstance(node, ast.Name)
    }
