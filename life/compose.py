"""Puts an order's life together from what readers found."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from life import history, next_steps
from life.execution import Execution
from life.masking import Veil
from life.model import Answer, Call, Life, Remark, Run, Standing
from life.next_steps import Advice
from life.reading import message_of, moment, parsed

CALLED = "called WeChat Pay"
CONFLICT = "CONFLICT"
FAIL = "Fail"
# What WeChat Pay calls an order that is not completed; empty when it was not heard.
NOT_COMPLETED = ("", "CREATED", "USER_ACCEPTED", "USER_CONFIRM", "REVOKED", "EXPIRED", "NOT_FOUND")


def life_of(
    out_order_no: str,
    executions: Iterable[Execution],
    lines: Iterable[Mapping[str, Any]] = (),
    answer: Answer | None = None,
    mchid: str = "",
) -> Life:
    """Return the life of one order.

    Args:
        executions: those that were started for it, in any order.
        lines: what the functions logged about it, as parsed JSON, in any order.
        answer: what a signed query said, if WeChat Pay was asked.
        mchid: the merchant, where no event names one.
    """
    in_order = sorted(executions, key=lambda each: (each.began, each.arn))
    logged = [line for line in lines if moment(line.get("timestamp"))]
    logged.sort(key=lambda line: str(line["timestamp"]))
    runs = tuple(
        _run(each, [line for line in logged if line.get("execution") == each.arn]) for each in in_order
    )
    arns = {each.arn for each in in_order}
    direct = tuple(
        _call(line, Veil(None))
        for line in logged
        if line.get("message") == CALLED and line.get("execution") not in arns
    )
    deciding = _deciding(runs)
    standing, advice = _standing(deciding)
    completed = answer is not None and answer.state not in NOT_COMPLETED
    # Another amount was charged than one of its events asked for: whatever ran since, somebody has to look.
    if any(run.on_purpose and run.error == CONFLICT for run in runs) or (
        completed and standing is Standing.FAILED
    ):
        advice = next_steps.for_failed(CONFLICT)
    elif completed and standing is Standing.UNKNOWN:
        advice = next_steps.COMPLETED_ELSEWHERE
    return Life(
        out_order_no=out_order_no,
        mchid=next(filter(None, (_mchid(run) for run in reversed(runs))), mchid),
        runs=runs,
        direct=direct,
        standing=standing,
        deciding=deciding,
        answer=answer,
        next_step=advice.of(out_order_no)[0],
        next_step_zh=advice.of(out_order_no)[1],
        also=tuple(
            run for run in runs if run is not deciding and not run.running and run.status != "SUCCEEDED"
        ),
    )


def _run(execution: Execution, lines: Sequence[Mapping[str, Any]]) -> Run:
    veil, steps = execution.veil, execution.steps
    states = execution.definition.get("States", {})
    return Run(
        arn=execution.arn,
        status=execution.status,
        began=execution.began,
        ended=execution.ended,
        redrives=execution.redrives,
        redrivable=execution.redrivable,
        asked=veil.value(parsed(execution.input)),
        steps=steps,
        calls=tuple(_call(line, veil) for line in lines if line.get("message") == CALLED),
        remarks=tuple(_remark(line, veil) for line in lines if line.get("outcome")),
        published=tuple(history.published(execution.history, states, execution.arn, veil)),
        result=veil.value(execution.output),
        error=veil.text(execution.error),
        message=veil.text(message_of(execution.cause)),
        on_purpose=execution.status == "FAILED" and bool(steps) and steps[-1].kind == FAIL,
        rule=next((str(line["rule"]) for line in reversed(lines) if line.get("rule")), ""),
    )


def _call(line: Mapping[str, Any], veil: Veil) -> Call:
    at = moment(line["timestamp"])
    assert at is not None  # noqa: S101 - lines without a time were left out
    status, milliseconds = line.get("status"), line.get("milliseconds")
    return Call(
        at=at,
        service=str(line.get("service") or ""),
        method=str(line.get("method") or ""),
        host=str(line.get("host") or ""),
        status=status if isinstance(status, int) else 0,
        milliseconds=float(milliseconds) if isinstance(milliseconds, int | float) else 0.0,
        request_id=str(line.get("request_id") or ""),
        problem=veil.text(str(line.get("problem") or "")),
    )


def _remark(line: Mapping[str, Any], veil: Veil) -> Remark:
    at = moment(line["timestamp"])
    assert at is not None  # noqa: S101 - lines without a time were left out
    parts = (line.get("category"), line.get("code"), line.get("evidence") and f"by {line['evidence']}")
    reason = line.get("reason") or " ".join(str(part) for part in parts if part)
    return Remark(at, str(line.get("service") or ""), str(line["outcome"]), veil.text(str(reason)))


def _mchid(run: Run) -> str:
    for fields in (run.result, run.asked):
        if isinstance(fields, Mapping) and isinstance(fields.get("mchid"), str):
            return str(fields["mchid"])
    return ""


# An order is settled when any execution settled it, whatever the outcome of the others. Then what still runs
# counts, then what needs someone, and a FAILED one last: of equals, the newest.
_DECIDES: tuple[Callable[[Run], bool], ...] = (
    lambda run: run.status == "SUCCEEDED",
    lambda run: run.running and bool(run.published),
    lambda run: run.running,
    lambda run: not run.on_purpose,
    lambda run: True,
)


def _deciding(runs: Sequence[Run]) -> Run | None:
    for decides in _DECIDES:
        for run in reversed(runs):
            if decides(run):
                return run
    return None


def _standing(run: Run | None) -> tuple[Standing, Advice]:
    if run is None:
        return Standing.UNKNOWN, next_steps.NO_ORDER
    if run.announced("Order Paid"):
        return Standing.PAID, next_steps.NOTHING
    if run.announced("Order Cancelled"):
        return Standing.CANCELLED, next_steps.NOTHING
    if run.status == "SUCCEEDED":
        return _succeeded(run)
    if run.running:
        return _running(run)
    if run.on_purpose:
        return Standing.FAILED, next_steps.for_failed(run.error)
    return Standing.INTERRUPTED, next_steps.for_interrupted(run.error, run.status, redrivable=run.redrivable)


def _succeeded(run: Run) -> tuple[Standing, Advice]:
    if run.announced("Order Payment Overdue"):
        return Standing.OVERDUE, next_steps.OVERDUE
    result = run.result or {}
    payment = result.get("payment")
    if isinstance(payment, Mapping):  # where the history is not at hand
        paid = payment.get("state") == "PAID"
        return (Standing.PAID, next_steps.NOTHING) if paid else (Standing.OVERDUE, next_steps.OVERDUE)
    if result.get("outcome") == "CANCELLED":
        return Standing.CANCELLED, next_steps.NOTHING
    return Standing.ACCEPTED, next_steps.NOTHING


def _running(run: Run) -> tuple[Standing, Advice]:
    if run.announced("Order Payment Overdue"):
        return Standing.OVERDUE, next_steps.OVERDUE
    if run.announced("Order Completed"):
        return Standing.AWAITING_PAYMENT, next_steps.WAIT_FOR_PAYMENT
    past_first = any(step.outcome for step in run.steps[:1])
    return (Standing.ANNOUNCING if past_first else Standing.COMPLETING), next_steps.WAIT
