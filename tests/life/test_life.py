"""One order's life from histories, log lines and an answer: no I/O, so the simulation can hand in its own."""

import json
from datetime import timedelta
from typing import Any

import pytest

import life
from life import Answer, Life, Standing, life_of, text
from life.as_json import to_json
from life.masking import inert, inert_json
from tests.life.histories import BEGAN, EVENT, RESULT, TICKET, History, line


def printed(order: Life) -> str:
    return "\n".join(text.lines(order))


def of(*executions: life.Execution, **more: Any) -> Life:
    return life_of("A|1*", executions, **more)


def failed(category: str, **more: Any) -> life.Execution:
    result = {**RESULT, "outcome": "FAILED", "error": {"category": category}}
    history = History().task("ServiceEnded", output=result).passed("Outcome")
    history.task("OrderFailed", given=result, output=result).enter("Failed", "Fail").add("ExecutionFailed")
    return history.execution("FAILED", error=category, cause=json.dumps({"code": "PARAM_ERROR"}), **more)


def interrupted(error: str = "MerchantMisconfigured", **more: Any) -> life.Execution:
    history = History().enter("ServiceEnded").scheduled().failed(error).add("ExecutionFailed")
    return history.execution("FAILED", **{"error": error, "redrivable": True, **more})


def test_a_paid_order_shows_its_path_and_what_it_published() -> None:
    order = of(History().paid().execution())
    (run,) = order.runs
    assert order.standing is Standing.PAID
    assert [step.name for step in run.steps][:3] == ["ServiceEnded", "Outcome", "OrderCompleted"]
    assert run.steps[0].outcome == "COMPLETED by REPLY"
    assert [each.detail_type for each in run.published] == ["Order Completed", "Order Paid"]
    assert run.published[1].detail["execution"] == run.arn
    assert run.published[1].detail["payment"]["finish_transaction_id"] == "42"


def test_each_attempt_has_its_error_and_its_time() -> None:
    history = History().enter("ServiceEnded").scheduled().failed("OutcomeUnknown", "cut off").scheduled()
    (step,) = of(history.execution("RUNNING")).runs[0].steps
    first, second = step.attempts
    assert (first.error, first.message) == ("OutcomeUnknown", "cut off")
    assert first.ended == first.began + timedelta(seconds=1)
    assert (second.error, second.ended, step.ended) == ("", None, None)


def test_a_redriven_execution_goes_on_in_the_state_that_failed() -> None:
    history = History().enter("ServiceEnded").scheduled().failed("MerchantMisconfigured")
    history.add("ExecutionFailed").add("ExecutionRedriven").scheduled().add("TaskSucceeded")
    history.leave("ServiceEnded").passed("Outcome")
    first, second = of(history.execution("RUNNING", redrives=1)).runs[0].steps
    assert [attempt.error for attempt in first.attempts] == ["MerchantMisconfigured", ""]
    assert (first.outcome, second.name) == ("COMPLETED by REPLY", "Outcome")


def test_an_expression_that_fails_is_an_attempt_of_its_state() -> None:
    error = {"error": "States.QueryEvaluationError", "cause": "bad"}
    history = History().enter("Outcome", "Choice").add("EvaluationFailed", evaluationFailedEventDetails=error)
    (step,) = of(history.add("ExecutionFailed").execution("FAILED")).runs[0].steps
    assert [attempt.error for attempt in step.attempts] == ["States.QueryEvaluationError"]


def test_a_call_belongs_to_the_execution_that_its_line_names() -> None:
    mine = History().paid().execution()
    call_fields = {"message": "called WeChat Pay", "method": "POST", "host": "https://h", "milliseconds": 1.5}
    order = of(
        mine,
        lines=[
            line(2, mine.arn, **call_fields, status=200, request_id="R-0", problem=""),
            line(
                1, mine.arn, **call_fields, status=503, request_id="", problem="Wechatpay-Serial is missing"
            ),
            line(3, None, **call_fields, status=0, request_id="", problem="timed out"),
        ],
    )
    assert [(call.status, call.verified) for call in order.runs[0].calls] == [(503, False), (200, True)]
    assert [(call.status, call.problem) for call in order.direct] == [(0, "timed out")]
    assert "503 NOT verified: Wechatpay-Serial is missing" in printed(order)
    assert "no reply: timed out" in printed(order)


@pytest.mark.parametrize(
    ("execution", "standing", "advice"),
    [
        (History().enter("ServiceEnded").scheduled().execution("RUNNING"), Standing.COMPLETING, "24 hours"),
        (History().task("ServiceEnded").passed("Outcome").execution("RUNNING"), Standing.ANNOUNCING, "wait"),
        (
            History().task("ServiceEnded").task("OrderCompleted").execution("RUNNING"),
            Standing.AWAITING_PAYMENT,
            "debits",
        ),
        (History().paid().execution(), Standing.PAID, "nothing to do"),
        (History().task("ServiceEnded").task("OrderCancelled").execution(), Standing.CANCELLED, "nothing"),
        (History().task("ServiceEnded").task("OrderCompleted").execution(), Standing.ACCEPTED, "nothing"),
        (
            History().task("OrderCompleted").task("OrderPaymentOverdue").execution(),
            Standing.OVERDUE,
            "ask the shopper",
        ),
        (failed("INVALID_INPUT"), Standing.FAILED, "correct the event"),
        (failed("CONFLICT"), Standing.FAILED, "refund"),
        (failed("SOMETHING_NEW"), Standing.FAILED, "read the error"),
        (interrupted(), Standing.INTERRUPTED, "make redrive ORDER='A|1*'"),
        (interrupted(redrivable=False), Standing.INTERRUPTED, "make resubmit ORDER='A|1*'"),
        (interrupted("States.Runtime"), Standing.INTERRUPTED, "take the cause away"),
        (
            History().enter("ServiceEnded").add("ExecutionAborted").execution("ABORTED", redrivable=True),
            Standing.INTERRUPTED,
            "make redrive REASON=ABORTED",
        ),
    ],
)
def test_where_an_order_stands_decides_what_to_do(
    execution: life.Execution, standing: Standing, advice: str
) -> None:
    order = of(execution)
    assert order.standing is standing
    assert advice in order.next_step
    assert order.next_step_zh
    assert "  ".join(standing.value) in printed(order)


def test_an_order_that_nothing_knows_is_no_running_or_settled_one() -> None:
    order = of(answer=Answer(BEGAN, "NOT_FOUND", text="HTTP 404"))
    assert (order.standing, order.deciding) == (Standing.UNKNOWN, None)
    assert "no such order" in printed(order)
    assert "dead letters" in order.next_step


@pytest.mark.parametrize("state", ["FINISHED", "USER_PAID"])
def test_an_order_that_wechat_pay_has_completed_is_not_sent_again(state: str) -> None:
    order = of(answer=Answer(BEGAN, state, 300))
    assert order.standing is Standing.UNKNOWN
    assert "do not send it again" in order.next_step
    assert "勿重新发送" in order.next_step_zh


def test_an_execution_that_settled_outweighs_one_that_failed_later() -> None:
    paid = History().paid().execution()
    later = interrupted(arn=f"{paid.arn}-later", began=BEGAN + timedelta(hours=1))
    order = of(later, paid)
    assert [run.arn for run in order.runs] == [paid.arn, later.arn]
    assert (order.standing, order.deciding) == (Standing.PAID, order.runs[0])
    assert order.also == (order.runs[1],)
    assert f"also: {later.arn} FAILED MerchantMisconfigured" in printed(order)


def test_a_failed_order_that_wechat_pay_completed_is_to_be_checked() -> None:
    for state in ("FINISHED", "USER_PAID", "DONE"):
        assert "refund" in of(failed("REJECTED"), answer=Answer(BEGAN, state, 300)).next_step
    for state in ("USER_ACCEPTED", "NOT_FOUND", ""):
        assert "refund" not in of(failed("REJECTED"), answer=Answer(BEGAN, state)).next_step


def test_a_conflict_asks_for_a_refund_whatever_settled_the_order() -> None:
    conflict = failed("CONFLICT", arn="arn:later", began=BEGAN + timedelta(hours=1))
    order = of(History().paid().execution(), conflict)
    assert order.standing is Standing.PAID
    assert "refund" in order.next_step


def test_no_ticket_is_shown_wherever_it_turns_up() -> None:
    event = {**EVENT, "finish_tickets": TICKET + "2", "metadata": {"copy": TICKET, "my_ticket": "abcdefgh"}}
    history = History().enter("ServiceEnded").scheduled().failed("OutcomeUnknown", f"{TICKET} abcdefgh")
    arn = history.execution().arn
    order = of(
        history.execution("FAILED", input=json.dumps(event), error="X", cause=TICKET),
        lines=[line(1, arn, message="called WeChat Pay", problem=TICKET), line(2, arn, outcome=TICKET[:3])],
    )
    for shown in (printed(order), json.dumps(to_json(order))):
        assert TICKET not in shown
        assert "abcdefgh" not in shown
        assert "***" in shown


def test_a_private_key_pasted_into_an_event_is_not_shown() -> None:
    event = {**EVENT, "metadata": ["-----BEGIN PRIVATE " + "KEY-----\nMIIE"]}
    assert "MIIE" not in printed(of(History().execution("FAILED", input=json.dumps(event))))


HOSTILE = "\x1b[2J\x07\r\u202e\u2066\u200b\u2028\x9b31m"


def test_hostile_text_is_inert_wherever_it_comes_from() -> None:
    event = {**EVENT, "out_order_no": HOSTILE, "metadata": {HOSTILE: HOSTILE}}
    history = History().enter("ServiceEnded").scheduled().failed(HOSTILE, HOSTILE)
    order = life_of(
        HOSTILE,
        [history.execution("FAILED", input=json.dumps(event), error=HOSTILE, cause=HOSTILE)],
        [line(1, None, message="called WeChat Pay", host=HOSTILE, request_id=HOSTILE, problem=HOSTILE)],
        Answer(BEGAN, HOSTILE, text=HOSTILE),
    )
    shown = list(text.lines(order))
    assert not set("".join(shown)) & set(HOSTILE.replace("[2J", "").replace("31m", ""))
    assert "\\u001b[2J\\u0007\\r\\u202e\\u2066\\u200b\\u2028\\u009b31m" in shown[0]
    document = inert_json(to_json(order), indent=2)
    assert not set(document) & set("\x1b\x07\r\u202e\u2066\u200b\u2028\x9b")
    assert json.loads(document)["out_order_no"] == HOSTILE


def test_harmless_text_stays_as_it_is() -> None:
    assert inert("农夫山泉 550ml ¥2.00 → café") == "农夫山泉 550ml ¥2.00 → café"


@pytest.mark.parametrize("given", ["", "no JSON", "[1]", '"text"', "null", "{}"])
def test_an_input_that_is_no_event_is_shown_and_breaks_nothing(given: str) -> None:
    assert of(interrupted(input=given)).standing is Standing.INTERRUPTED


def test_a_day_of_asking_takes_one_line() -> None:
    history = History().task("ServiceEnded").passed("Outcome").task("OrderCompleted")
    for _ in range(29):
        history.passed("Payment").passed("AwaitPayment", "Wait").task("QueryOrder")
    execution = history.execution("RUNNING")
    lines = [
        line(each + half, execution.arn, **fields)
        for each in range(29)
        for half, fields in (
            (0, {"message": "called WeChat Pay", "status": 200, "request_id": f"R{each}"}),
            (0.5, {"message": "not paid yet", "outcome": "COLLECTING", "evidence": "QUERY"}),
        )
    ]
    shown = printed(of(execution, lines=lines))
    assert "(Payment → AwaitPayment → QueryOrder) x29, until " in shown
    assert shown.count("COLLECTING") == 1
    assert len(shown.splitlines()) < 30


def test_a_failed_round_is_never_folded_away() -> None:
    history = History().task("ServiceEnded")
    for _ in range(3):
        history.passed("AwaitPayment", "Wait").enter("QueryOrder").scheduled().failed("OutcomeUnknown")
        history.scheduled().add("TaskSucceeded").leave("QueryOrder").passed("Payment")
    assert printed(of(history.execution("RUNNING"))).count("attempt 1") == 3


def test_equal_attempts_are_shown_as_one() -> None:
    history = History().enter("ServiceEnded")
    for _ in range(100):
        history.scheduled().failed("WeChatPayUnavailable", "HTTP 503")
    shown = printed(of(history.scheduled().execution("RUNNING")))
    assert "attempts 1-100" in shown
    assert "attempt 101" in shown


def test_the_json_names_what_the_dataclasses_do_and_times_in_utc() -> None:
    document = to_json(of(History().paid().execution(), answer=Answer(BEGAN, "USER_PAID", 300)))
    assert document["standing"] == "PAID"
    assert document["deciding"] == document["runs"][0]["arn"]
    assert document["answer"] == {
        "at": "2026-11-23T02:00:00+00:00",
        "state": "USER_PAID",
        "total_amount": 300,
        "text": "",
    }
