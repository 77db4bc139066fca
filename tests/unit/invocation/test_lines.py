"""Our log lines are those of Powertools: the same fields in the same order, only made with less work."""

import json
import logging
import sys
import time
from collections.abc import Iterator

import pytest
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from hypothesis import given
from hypothesis import strategies as st
from invocation.lines import Lines

KEPT = {"service": "complete-order", "cold_start": True, "out_order_no": "A-1", "execution": None}
SAID = st.dictionaries(
    st.sampled_from(["status", "milliseconds", "host", "problem", "request_id", "outcome"]),
    st.none() | st.text() | st.integers() | st.floats(allow_nan=False) | st.booleans(),
)


def record(message: object, said: dict[str, object], **more: object) -> logging.LogRecord:
    made = logging.LogRecord("n", logging.WARNING, "/var/task/app.py", 7, message, (), None, "of_outcome")
    vars(made).update(said, **more)
    return made


def both(made: logging.LogRecord) -> tuple[str, str]:
    theirs = LambdaPowertoolsFormatter(utc=True, use_rfc3339=True, json_deserializer=str)
    ours = Lines()
    for formatter in (ours, theirs):
        formatter.append_keys(**KEPT)
    return ours.format(made), theirs.format(made)


@given(message=st.text(), said=SAID)
def test_a_line_is_what_powertools_writes(message: str, said: dict[str, object]) -> None:
    ours, theirs = both(record(message, said))
    assert ours == theirs
    assert json.loads(ours)["message"] == message


@pytest.fixture
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock shows the time of Shanghai."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("shanghai")
def test_times_are_utc_wherever_the_machine_is() -> None:
    made = record("settled", {}, created=1_760_000_000.25)
    assert json.loads(Lines().format(made))["timestamp"] == "2025-10-09T08:53:20.250+00:00"


def test_a_line_names_the_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1")
    ours, theirs = both(record("settled", {}))
    assert ours == theirs
    assert json.loads(ours)["xray_trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"


def test_an_exception_and_an_argument_are_written_out() -> None:
    try:
        int("half an order")
    except ValueError:
        failed = sys.exc_info()
    ours, theirs = both(record("lost", {}, exc_info=failed))
    assert ours == theirs
    assert "half an order" in ours
    assert json.loads(both(record("%s of %s", {}, args=(1, 2)))[0])["message"] == "1 of 2"


def test_what_json_does_not_know_is_written_as_text() -> None:
    assert json.loads(Lines().format(record("m", {"why": ValueError("no")})))["why"] == "no"
