"""`make show ORDER=...`: one order's life on one screen, put together from everything that knows of it."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError
from rich.console import Console
from rich.text import Text

import life
from life import text
from life.as_json import to_json
from life.masking import inert_json
from life.reading import parsed
from operations import options, standing
from operations.errors import CommandError
from operations.lives import Reader
from operations.merchant_files import now
from operations.options import Mchid, Profile, Region, StackName
from operations.target import Target, error_code

_DENIED = ("AccessDeniedException", "AccessDenied")


# `standing.ask`, or what remembers its answer: of the stack, the merchant, what names the order, the time.
type Asking = Callable[[Target, str, Mapping[str, object], datetime], life.Answer | None]


def add_to(app: typer.Typer, console: Console) -> None:
    """Add the command to the application."""

    @app.command(name="show")
    def show_order(
        order: Annotated[str, typer.Option(help="out_order_no 商户订单号")],
        mchid: Mchid = None,
        since: Annotated[
            str | None, typer.Option(help="look back to: 2026-11-23T02:00 (local time), or 3h, 20d")
        ] = None,
        query: Annotated[bool, typer.Option(help="ask WeChat Pay how it stands 向微信支付查单")] = True,
        as_json: Annotated[bool, typer.Option("--json", help="for programs 以JSON输出")] = False,
        stack_name: StackName = options.STACK,
        region: Region = None,
        profile: Profile = None,
    ) -> None:
        """Show one order's life: asked, tried, called, published, and what to do 查看一个订单的全过程.

        Exits 1 when nothing knows the order.
        """
        if not order:
            raise CommandError("which order? make show ORDER=SR-20251001-0001 请指定订单号")
        target, at = options.target_of(stack_name, region, profile), now()
        asking = standing.ask if query else None
        found, notes = read(target, order, mchid or None, at, options.past(since, at), asking=asking)
        if as_json:
            console.print(Text(inert_json({**to_json(found), "notes": notes}, indent=2)), soft_wrap=True)
        else:
            for line in [*text.lines(found), *notes]:
                console.print(Text(line), soft_wrap=True)
        raise typer.Exit(0 if found.runs or found.direct else 1)


def read(
    target: Target,
    out_order_no: str,
    mchid: str | None,
    now: datetime,
    since: datetime | None,
    *,
    asking: Asking | None,
    known: Collection[str] | None = None,
) -> tuple[life.Life, list[str]]:
    """Return an order's life, and what could not be read, in words.

    Args:
        target: the stack.
        out_order_no: the order.
        mchid: the merchant, when several have an order of this number; None takes whichever there is.
        now: the time.
        since: how far to look back, see `Reader`.
        asking: what WeChat Pay is asked with; None does not ask.
        known: ARNs of its executions; None looks through the newest ones.

    Raises:
        CommandError: several merchants have an order of this number.
    """
    reader, notes = Reader(target, now, since), []
    try:
        lines = reader.lines(out_order_no)
    except ClientError as exc:
        if error_code(exc) not in _DENIED:
            raise
        lines = []
        notes.append("the functions' logs cannot be read: ask for logs:FilterLogEvents 无权读取日志")
    found = reader.executions(out_order_no, lines, known)
    default = target.default_mchid
    owners = {each.arn: owner(each, default) for each in found}
    if mchid is None and len(set(owners.values())) > 1:
        several = ", ".join(sorted(set(owners.values())))
        raise CommandError(
            f"several merchants have an order {out_order_no}: MCHID= one of {several} 请指定商户号"
        )
    meant = [each for each in found if mchid is None or owners[each.arn] == mchid]
    merchant = mchid or next(iter(owners.values()), default)
    answer = None
    if asking and merchant:
        answer = asking(target, merchant, {"out_order_no": out_order_no, **named(meant)}, now)
    if since and not meant:
        notes.append(
            f"nothing before {options.zoned(since)} was looked at: leave out SINCE= "
            "未查看更早的执行，请去掉 SINCE="
        )
    arns = {each.arn for each in meant}
    lines = [line for line in lines if line.get("execution") in arns or not line.get("execution")]
    return life.life_of(out_order_no, meant, lines, answer, merchant), notes


def owner(execution: life.Execution, default: str) -> str:
    """Return the merchant of an execution."""
    event = parsed(execution.input)
    return str((event.get("mchid") if isinstance(event, dict) else None) or default)


def named(executions: list[life.Execution]) -> Mapping[str, Any]:
    """Return what names the order to WeChat Pay, from the newest result or event that tells it."""
    found: dict[str, Any] = {}
    for execution in sorted(executions, key=lambda each: each.began):
        for value in map(parsed, (execution.input, execution.output)):
            if isinstance(value, dict):
                names = ("appid", "service_id", "order_api")
                found |= {name: value[name] for name in names if isinstance(value.get(name), str)}
    return found
