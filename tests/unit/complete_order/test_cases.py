"""Events of public reports that lost an order once, each settled now (tests/cases)."""

import json
from pathlib import Path
from typing import Any

from tests.function import Function
from tests.unit.complete_order.orders import opened

CASES = Path(__file__).parents[2] / "cases"


def settled(function: Function, case: str, **order: Any) -> dict[str, Any]:
    """Settle the order of a case; returns the body that arrived at WeChat Pay."""
    event = json.loads((CASES / f"{case}.json").read_text(encoding="utf-8"))
    opened(function, event["out_order_no"], replace=True, **order)
    assert function(event)["outcome"] == "COMPLETED"
    assert function.simulator.order(event["out_order_no"])["total_amount"] == event["total_amount"]
    body: dict[str, Any] = json.loads(function.simulator.requests(event["out_order_no"])[-1]["body"])
    return body


def test_duplicate_goods_info(function: Function) -> None:
    names = [fee["fee_name"] for fee in settled(function, "duplicate_goods_info")["fees"]]
    assert names == ["商品信息", "商品信息"]


def test_empty_fee_desc(function: Function) -> None:
    [fee] = settled(function, "empty_fee_desc")["fees"]
    assert fee == {"fee_name": "乌龙茶", "fee_count": 1, "fee_amount": 450}


def test_no_end_time(function: Function) -> None:
    assert "real_service_end_time" not in settled(function, "no_end_time")
