"""Every JSONata expression of the workflow, by jsonata-python and by the reference implementation (npm).

AWS implements JSONata 2.0.6. The embedded AWS and the other engine evaluate by jsonata-python, so that a
difference between the two would pass every other test here and fail on AWS.
"""

import base64
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonata
import pytest

from tests.engines.scenarios import ERROR, EVENT
from tests.engines.test_two_engines import definition
from tests.engines.world import Result
from tools import node

NOW_MILLIS = 1759314725123
ARN = "arn:aws-cn:states:cn-north-1:123456789012:execution:ServiceEnded:one"
EXECUTION = {"Id": ARN, "RedriveCount": 1, "StartTime": "2025-10-01T10:32:05Z"}
STATE = {"Name": "One", "RetryCount": 12, "EnteredTime": "2025-10-01T10:32:05.123Z"}
CONTEXT = {"Execution": EXECUTION, "State": STATE, "Task": {"Token": "AQB+/="}}
OF_BEFORE = {"Execution": {"Id": ARN}, "State": {}}  # no count at all
ACCEPTED = EVENT | {"outcome": "COMPLETED", "mchid": "1900000001", "appid": "wx1", "service_id": "500001"}
STARTED = {"waited": 0, "pause": 5, "until": 604800, "unidentified": 0, "overdue": False}
# Texts that an expression makes: jsonata-python's $string escapes what is not ASCII, the reference does not.
# Read as JSON they are one; cut, as a cause beyond 32 768 characters, they are not.
ESCAPED = "$substring($string($states.input.error), 0, 32768)"
LONG = "长" * 40_000


def paid(**fields: Any) -> Result:
    return ACCEPTED | {"payment": {"state": "PAID", "request_id": "R", **fields}}


INPUTS: dict[str, Result] = {
    "event": EVENT,
    "accepted": ACCEPTED,
    "cancelled": ACCEPTED | {"outcome": "CANCELLED", "total_amount": 0},
    "failed": ACCEPTED | {"outcome": "FAILED", "error": ERROR},
    "collecting": ACCEPTED | {"payment": {"state": "COLLECTING", "request_id": "R"}},
    "paid by WeChat Pay": paid(paid_by="WECHAT_PAY", finish_transaction_id="42", pay_succ_time="20251001"),
    "paid by nothing": paid(paid_by="UNKNOWN", finish_transaction_id=None, pay_succ_time=None),
    "paid, said by a function of before": paid(finish_transaction_id="42", pay_succ_time="20251001"),
    "an outcome nobody knows": {"outcome": "NEW"},
    "nothing": {},
}
TIMES: list[dict[str, Any]] = [
    STARTED,
    *(STARTED | {"waited": waited} for waited in (5, 20, 80, 380, 2180, 86399, 86400, 604799, 604800)),
    STARTED | {"waited": 604800, "unidentified": 86399},
    STARTED | {"waited": 691200, "unidentified": 86400, "until": 4320000, "overdue": True, "pause": 86400},
]


@dataclass(frozen=True)
class Case:
    expression: str
    bindings: dict[str, Any]


def expressions(part: Any) -> Iterator[str]:
    """What stands between `{%` and `%}` in a part of a definition."""
    if isinstance(part, dict | list):
        for each in part.values() if isinstance(part, dict) else part:
            yield from expressions(each)
    elif isinstance(part, str) and part.startswith("{%"):
        # One time for both, which evaluate one after the other.
        yield part.removeprefix("{%").removesuffix("%}").strip().replace("$millis()", str(NOW_MILLIS))


def every() -> list[str]:
    off, on = (set(expressions(definition(7, notifications=each))) for each in (False, True))
    return sorted(off | on)


def cases(inputs: dict[str, Result], contexts: list[Result]) -> list[Case]:
    combined = []
    for expression in every():
        for value in inputs.values():
            for context in contexts:
                for times in TIMES if "$waited" in expression or "$until" in expression else TIMES[:1]:
                    states = {"input": value, "result": {"Payload": value}, "context": context}
                    combined.append(Case(expression, {**times, "states": states}))
    return combined


def by_python(case: Case) -> dict[str, Any]:
    try:
        value = _evaluated(case.expression, case)
    except jsonata.JException as exc:
        return {"error": exc.error}
    # None is null and undefined alike; only a second look tells.
    exists = value is not None or _evaluated(f"$exists({case.expression})", case)
    return {"value": value} if exists else {}


def _evaluated(expression: str, case: Case) -> Any:
    return compiled(expression).evaluate(None, case.bindings)


@cache
def compiled(expression: str) -> jsonata.Jsonata:
    return jsonata.Jsonata(expression)


def by_reference(batch: list[Case]) -> list[dict[str, Any]]:
    node.install()
    module = (node.MODULES / "jsonata/jsonata.js").as_uri()
    script = node.HERE.parents[1] / "tests/engines/reference.mjs"
    given = json.dumps([{"expression": each.expression, "bindings": each.bindings} for each in batch])
    done = subprocess.run(
        [node.NODE, script, module], input=given, capture_output=True, text=True, check=True
    )
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def differences(batch: list[Case]) -> list[tuple[Case, dict[str, Any], dict[str, Any]]]:
    compared = zip(batch, map(by_python, batch), by_reference(batch), strict=True)
    return [(case, mine, theirs) for case, mine, theirs in compared if mine != theirs]


def test_both_evaluate_every_expression_alike_but_for_escapes():
    different = differences(cases(INPUTS, [CONTEXT, OF_BEFORE]))

    assert {case.expression for case, *_ in different} == {ESCAPED}
    for _, mine, theirs in different:
        assert json.loads(mine["value"]) == json.loads(theirs["value"])
        assert mine["value"].isascii()
        assert not theirs["value"].isascii()


def test_both_engines_cut_a_cause_at_the_same_length():
    long = ACCEPTED | {"error": ERROR | {"message": LONG}}
    ((case, mine, theirs),) = (
        each for each in differences(cases({"long": long}, [CONTEXT])) if each[0].expression == ESCAPED
    )

    assert len(mine["value"]) == len(theirs["value"]) == 32768
    assert LONG[:32_000] in theirs["value"]
    assert case.expression == ESCAPED


def test_integers_beyond_what_a_double_holds_are_rounded_by_the_reference():
    """As on AWS, and as the contract says of `metadata`. Amounts and counts are far below."""
    large = ACCEPTED | {"metadata": {"id": 2**53 + 1}, "error": {}}
    different = differences(cases({"large": large}, [CONTEXT]))

    assert different
    for _, mine, theirs in different:
        assert "9007199254740993" in json.dumps(mine)
        assert "9007199254740992" in json.dumps(theirs)


def test_a_count_that_is_not_there_is_not_handed_to_the_function():
    (expression,) = (each for each in every() if "redrive_count" in each)
    batch = [
        Case(expression, {**STARTED, "states": {"input": {}, "context": context}})
        for context in (CONTEXT, OF_BEFORE)
    ]

    whole, bare = (json.loads(base64.b64decode(each["value"]))["custom"] for each in by_reference(batch))
    entered = STATE["EnteredTime"]
    assert whole == {"execution": ARN, "retry_count": 12, "redrive_count": 1, "entered_time": entered}
    assert bare == {"execution": ARN}


@pytest.mark.parametrize("evaluate", [by_reference, lambda batch: [by_python(each) for each in batch]])
def test_inequality_has_to_be_written_with_not(evaluate):
    """Both equality and inequality with what is not there are false."""
    states = {"states": {"input": {}}}
    batch = [
        Case(expression, states)
        for expression in ('$states.input.x = "A"', '$states.input.x != "A"', '$not($states.input.x = "A")')
    ]
    assert [each["value"] for each in evaluate(batch)] == [False, False, True]
