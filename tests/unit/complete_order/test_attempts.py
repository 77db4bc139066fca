"""Which attempts know of earlier ones: interface of the workflow's client context."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from invocation.attempts import Attempts

ARN = "arn:aws:states:us-east-1:000000000000:execution:ServiceEnded:"
ENTERED = "2026-11-25T12:00:00.123Z"
NOON = datetime(2026, 11, 25, 12, 0, 0, 123000, tzinfo=UTC)


def attempts(**custom: Any) -> Attempts:
    return Attempts.of(SimpleNamespace(client_context=SimpleNamespace(custom=custom)))


@pytest.mark.parametrize(
    "context",
    [
        None,
        SimpleNamespace(),
        SimpleNamespace(client_context=None),
        SimpleNamespace(client_context=SimpleNamespace(custom=None)),
        SimpleNamespace(client_context=SimpleNamespace(custom={"execution": 7})),
    ],
)
def test_a_direct_invocation_is_a_first_attempt(context: object) -> None:
    assert Attempts.of(context) == Attempts(first=True, entered=None)


def test_counts_of_zero_without_an_execution_are_a_first_attempt() -> None:
    known = attempts(retry_count=0, redrive_count=0, entered_time=ENTERED)
    assert known == Attempts(first=True, entered=NOON)


def test_counts_of_zero_are_a_first_attempt() -> None:
    known = attempts(execution=f"{ARN}one", retry_count=0, redrive_count=0, entered_time=ENTERED)
    assert known == Attempts(first=True, entered=NOON)


@pytest.mark.parametrize(
    "custom",
    [
        {"execution": f"{ARN}one"},
        {"execution": f"{ARN}one", "retry_count": 0},
        {"execution": f"{ARN}one", "redrive_count": 0},
        {"execution": f"{ARN}one", "retry_count": 1, "redrive_count": 0},
        {"execution": f"{ARN}one", "retry_count": 0, "redrive_count": 1},
        {"execution": f"{ARN}one", "retry_count": "0", "redrive_count": 0},
        {"execution": f"{ARN}one", "retry_count": None, "redrive_count": 0},
        {"execution": f"{ARN}resubmit-one", "retry_count": 0, "redrive_count": 0},
        {"retry_count": 1, "redrive_count": 0},
        {"redrive_count": 1},
        {"execution": 7, "retry_count": "0"},
    ],
)
def test_retry_redrive_resubmission_and_older_definition_are_later(custom: dict[str, Any]) -> None:
    assert not attempts(**custom).first


def test_ten_minutes_after_entering_the_state_it_is_long_under_way() -> None:
    known = attempts(execution=f"{ARN}one", retry_count=3, redrive_count=0, entered_time=ENTERED)
    assert known.long_under_way(NOON + timedelta(minutes=10))
    assert not known.long_under_way(NOON + timedelta(minutes=10) - timedelta(microseconds=1))


@pytest.mark.parametrize("entered", [None, "", "yesterday", 7, {}])
def test_without_a_time_of_entry_it_is_never_long_under_way(entered: object) -> None:
    known = attempts(execution=f"{ARN}one", retry_count=3, redrive_count=0, entered_time=entered)
    assert not known.long_under_way(datetime.max.replace(tzinfo=UTC))
