"""An order's life as lines of text. Nothing is cut: a terminal folds what is too long for it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from life.masking import inert, inert_json
from life.model import Answer, Call, Life, Published, Remark, Run, Step

# What repeats itself has at most so many parts: a round of waiting and asking has three states.
_ROUNDS = (3, 2, 1)


def lines(life: Life) -> Iterator[str]:
    """Yield an order's life, a line at a time; every line is safe to print to a terminal."""
    return (inert(line) for line in _lines(life))


def amount(fen: object) -> str:
    """Return an amount of fen in yuan; what is no amount, as it is."""
    return f"¥{fen / 100:.2f}" if isinstance(fen, int) and not isinstance(fen, bool) else str(fen)


def _lines(life: Life) -> Iterator[str]:
    merchant = f"  mchid {life.mchid}" if life.mchid else ""
    yield f"order {life.out_order_no}{merchant}"
    yield "  ".join(life.standing.value)
    yield from _why(life.deciding)
    for number, run in enumerate(life.runs, 1):
        yield ""
        yield from _run(run, f"execution {number} of {len(life.runs)}")
    if life.direct:
        yield ""
        yield "called outside of any execution"
        yield from (f"  {_call(call)}" for call in life.direct)
    if life.answer is not None:
        yield ""
        yield f"at WeChat Pay 微信支付侧  {time_of(life.answer.at)}"
        yield f"  {_answer(life.answer)}"
    yield ""
    yield "what to do 处理建议"
    yield f"  {life.next_step}"
    yield f"  {life.next_step_zh}"
    for run in life.also:
        yield f"  also: {run.arn} {run.status} {run.error}".rstrip()


def _why(run: Run | None) -> Iterator[str]:
    if run is not None and run.error:
        yield f"{run.error}: {run.message}" if run.message else run.error


def _run(run: Run, title: str) -> Iterator[str]:
    redriven = f", redriven {run.redrives}x" if run.redrives else ""
    span = f" in {seconds(run.began, run.ended)}" if run.ended else ""
    yield f"{title}  {run.began.astimezone():%Y-%m-%d %H:%M:%S %z}  {run.status}{span}{redriven}"
    yield run.arn
    yield "  asked 请求"
    yield from (f"    {line}" for line in _asked(run.asked))
    yield "  states 状态"
    yield from (f"    {line}" for line in _steps(run.steps))
    yield "  calls to WeChat Pay 调用"
    logged: list[Call | Remark] = [*run.calls, *run.remarks]
    logged.sort(key=lambda each: each.at)
    yield from (f"    {line}" for line in _logged(logged)) if logged else ["    none in the logs 日志中没有"]
    if run.published:
        yield "  published 已发布"
        yield from (f"    {_published(each)}" for each in run.published)


def _asked(asked: object) -> Iterator[str]:
    if not isinstance(asked, Mapping):
        yield inert_json(asked)
        return
    for name, value in asked.items():
        money = f"  {amount(value)}" if name == "total_amount" else ""
        yield f"{name}  {value if isinstance(value, str) else inert_json(value)}{money}"


def rounds[T](items: Sequence[T], key: Callable[[T], object]) -> Iterator[tuple[Sequence[T], int]]:
    """Tell items in order, what repeats itself as one round and how often; items of key None never repeat."""
    rest = items
    while rest:
        length, times = next(
            ((length, times) for length in _ROUNDS if (times := _times(rest, length, key)) > 1), (1, 1)
        )
        yield rest[: length * times], times
        rest = rest[length * times :]


def _times[T](items: Sequence[T], length: int, key: Callable[[T], object]) -> int:
    ring = [key(each) for each in items[:length]]
    times = 0
    while None not in ring and [key(each) for each in items[length * times : length * (times + 1)]] == ring:
        times += 1
    return times


def _steps(steps: Sequence[Step]) -> Iterator[str]:
    for passed, times in rounds(steps, lambda step: step.name if _quiet(step) else None):
        if times > 1:
            names = " → ".join(step.name for step in passed[: len(passed) // times])
            yield f"{time_of(passed[0].began)}  ({names}) x{times}, until {time_of(passed[-1].began)}"
        else:
            yield from _step(passed[0])


def _quiet(step: Step) -> bool:
    return len(step.attempts) <= 1 and step.ended is not None


def _step(step: Step) -> Iterator[str]:
    took = seconds(step.began, step.ended)
    outcome = f"  {step.outcome}" if step.outcome else ""
    yield f"{time_of(step.began)}  {step.name}  {took}{outcome}"
    if len(step.attempts) < 2 and not any(attempt.error for attempt in step.attempts):  # noqa: PLR2004
        return
    number = 1
    for key, same in groupby(step.attempts, key=lambda attempt: (attempt.error, attempt.message)):
        attempts = list(same)
        last = number + len(attempts) - 1
        numbers = f"attempt {number}" if number == last else f"attempts {number}-{last}"
        took = seconds(attempts[0].began, attempts[-1].ended)
        error, message = key
        failure = f"  {error}: {message}" if message else f"  {error}"
        yield f"  {time_of(attempts[0].began)}  {numbers}  {took}{failure if error else ''}"
        number = last + 1


def _logged(logged: Sequence[Call | Remark]) -> Iterator[str]:
    """Tell calls and what was concluded from them; of those that repeat themselves the first ones."""
    for same, times in rounds(logged, _alike):
        first = same[: len(same) // times]
        yield from (_call(each) if isinstance(each, Call) else _concluded(each) for each in first)
        if times > 1:
            yield f"  x{times}, until {time_of(same[-1].at)}"


def _alike(logged: Call | Remark) -> object:
    if isinstance(logged, Call):
        return logged.service, logged.method, logged.status, logged.problem
    return logged.service, logged.outcome, logged.reason


def _concluded(remark: Remark) -> str:
    return f"  {remark.outcome}: {remark.reason}" if remark.reason else f"  {remark.outcome}"


def _call(call: Call) -> str:
    verdict = "verified" if call.verified else f"NOT verified: {call.problem}"
    reply = f"{call.status} {verdict}" if call.status else f"no reply: {call.problem}"
    request = f"  Request-ID {call.request_id}" if call.request_id else ""
    return f"{time_of(call.at)}  {call.method} {call.host}  {call.milliseconds:.0f} ms  {reply}{request}"


def _published(event: Published) -> str:
    payment = event.detail.get("payment")
    if event.detail_type == "Order Paid" and isinstance(payment, Mapping):
        paid = "".join(f"  {name} {value}" for name, value in payment.items() if name != "request_id")
        return f"{time_of(event.at)}  {event.detail_type}{paid}"
    return f"{time_of(event.at)}  {event.detail_type}"


def _answer(answer: Answer) -> str:
    money = f"  {amount(answer.total_amount)}" if answer.total_amount is not None else ""
    return f"{answer.state}{money}  {answer.text}".strip()


def time_of(moment: datetime) -> str:
    """Return a moment by this machine's clock, to the millisecond, without the year."""
    local = moment.astimezone()
    return f"{local:%m-%d %H:%M:%S}.{local.microsecond // 1000:03}"


def seconds(began: datetime, ended: datetime | None) -> str:
    """Return how long something took."""
    if ended is None:
        return "under way"
    seconds = (ended - began).total_seconds()
    return f"{seconds:.2f} s" if seconds < 60 else str(ended - began).partition(".")[0]  # noqa: PLR2004
