"""`make show ORDER=...`: one order's life on one screen, put together from everything that knows of it."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

import life
from life import text
from life.as_json import to_json
from life.masking import inert_json
from operations import ask_wechat_pay, options
from operations.errors import CommandError
from operations.lives import OrderReader
from operations.merchant_files import now
from operations.options import Mchid, Profile, Region, StackName
from operations.target import Target
from operations.terminal import console

# `ask_wechat_pay.ask`, or what remembers its answer: stack, merchant, what names the order, time.
type Asking = Callable[[Target, str, Mapping[str, object], datetime], life.Answer | None]


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
    asking = ask_wechat_pay.ask if query else None
    shown, notes = read(target, order, mchid or None, at, options.past(since, at), asking=asking)
    if as_json:
        console.print(Text(inert_json({**to_json(shown), "notes": notes}, indent=2)), soft_wrap=True)
    else:
        for line in [*text.lines(shown), *notes]:
            console.print(Text(line), soft_wrap=True)
    raise typer.Exit(0 if shown.runs or shown.direct else 1)


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
        mchid: the merchant, when several have an order of this number; None takes whichever there is.
        since: how far to look back, see `OrderReader`.
        asking: what WeChat Pay is asked with; None does not ask.
        known: ARNs of its executions; None looks through the newest ones.

    Raises:
        CommandError: several merchants have an order of this number.
    """
    records = OrderReader(target, now, since).records(out_order_no, mchid, known)
    notes, answer = records.notes, None
    if asking and records.mchid:
        answer = asking(target, records.mchid, {"out_order_no": out_order_no, **records.identifiers}, now)
    if since and not records.executions:
        notes.append(
            f"nothing before {options.zoned(since)} was looked at: leave out SINCE= "
            "未查看更早的执行，请去掉 SINCE="
        )
    whole = life.life_of(out_order_no, records.executions, records.lines, answer, records.mchid)
    return whole, notes
