"""The commands `stuck`, `redrive` and `resubmit`: choose, show, and act when asked to."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from operations import options, recovery, stuck
from operations.merchant_files import now
from operations.options import Before, DryRun, Orders, Profile, Rate, Reasons, Region, Since, StackName
from operations.recovery import Attempt, Did
from operations.stuck import ABORTED, Remedy, Selection, Stuck
from operations.target import Target

_RATE = 5.0


def add_to(app: typer.Typer, console: Console) -> None:
    """Add the three commands to the application."""

    @app.command(name="stuck")
    def list_stuck(
        reason: Reasons = None,
        order: Orders = None,
        since: Since = None,
        before: Before = None,
        failed: Annotated[
            bool, typer.Option("--failed", help="also orders that ended in OrderFailed 包括已判定失败的订单")
        ] = False,
        stack_name: StackName = options.STACK,
        region: Region = None,
        profile: Profile = None,
    ) -> None:
        """List executions that need someone: order, why, since when, and what to do 待处理的执行."""
        target = options.target_of(stack_name, region, profile)
        selection = selection_of(reason, order, since, before)
        found = _find(target, selection, failed=failed)
        if found:
            console.print(table(found))
        need = sum(each.remedy in (Remedy.REDRIVE, Remedy.RESUBMIT) for each in found)
        among = "" if selection == Selection() else ", of what was asked for 仅限所选条件"
        console.print(f"{need} need someone 需处理" if need else f"nothing is stuck 没有待处理的执行{among}")

    @app.command()
    def redrive(
        reason: Reasons = None,
        order: Orders = None,
        since: Since = None,
        before: Before = None,
        dry_run: DryRun = False,
        rate: Rate = _RATE,
        stack_name: StackName = options.STACK,
        region: Region = None,
        profile: Profile = None,
    ) -> None:
        """Let interrupted executions go on where they failed 重新驱动.

        Aborted ones only with --reason ABORTED.
        """
        target = options.target_of(stack_name, region, profile)
        chosen = _choose(target, selection_of(reason, order, since, before), Remedy.REDRIVE)
        client = target.client("stepfunctions")
        _act(console, chosen, dry_run, lambda: recovery.redrive(client, chosen, recovery.at_most(rate)))

    @app.command()
    def resubmit(
        reason: Reasons = None,
        order: Orders = None,
        since: Since = None,
        before: Before = None,
        dry_run: DryRun = False,
        rate: Rate = _RATE,
        stack_name: StackName = options.STACK,
        region: Region = None,
        profile: Profile = None,
    ) -> None:
        """Start those again, once, that are too old to redrive 超过14天的重新提交.

        Aborted ones only with --reason ABORTED.
        """
        target = options.target_of(stack_name, region, profile)
        chosen = _choose(target, selection_of(reason, order, since, before), Remedy.RESUBMIT)
        client, machine = target.client("stepfunctions"), target.state_machine
        _act(
            console,
            chosen,
            dry_run,
            lambda: recovery.resubmit(client, machine, chosen, recovery.at_most(rate)),
        )


def selection_of(
    reasons: list[str] | None, orders: list[str] | None, since: str | None, before: str | None
) -> Selection:
    """Read the options that choose executions."""
    at = now()
    return Selection(
        frozenset(filter(None, reasons or ())),
        frozenset(filter(None, orders or ())),
        options.moment(since, at),
        options.moment(before, at),
    )


def table(found: list[Stuck]) -> Table:
    """Show executions, one a row, times in this machine's zone."""
    shown = Table(box=None, pad_edge=False)
    for heading in ("order 订单", "since 时间", "do 处理"):
        shown.add_column(heading, no_wrap=True)
    shown.add_column("why, execution 原因与执行", overflow="fold")
    for each in found:
        times = f", redriven {each.redrives}x" if each.redrives else ""
        told = f": {each.message}" if each.message else ""
        why = Text.assemble((each.reason, "bold"), told, (f"\n{each.arn}", "dim"))
        order = Text(each.out_order_no)
        if each.mchid:
            order.append(f"\nmchid {each.mchid}", "dim")
        shown.add_row(order, _local(each.since), each.remedy.value + times, why)
    return shown


def _find(target: Target, selection: Selection, *, failed: bool = False) -> list[Stuck]:
    client = target.client("stepfunctions")
    # A list: what is acted upon must not change while it is being read.
    return list(stuck.find(client, target.whole_state_machine, now(), selection, failed=failed))


def _choose(target: Target, selection: Selection, remedy: Remedy) -> list[Stuck]:
    """Leave out what a person aborted, unless it is asked for by name: there may have been a reason."""
    named = bool(selection.reasons)
    found = _find(target, selection)
    return [each for each in found if each.remedy is remedy and (named or each.status != ABORTED)]


def _act(console: Console, chosen: list[Stuck], dry_run: bool, act: Callable[[], Iterator[Attempt]]) -> None:
    if not chosen:
        console.print("nothing to do 无需处理")
        return
    if dry_run:
        console.print(table(chosen))
        console.print(f"{len(chosen)} would be started 将启动（演示，未执行）")
        return
    refused = 0
    for attempt in act():
        line = (attempt.did.value + ":", attempt.stuck.out_order_no, attempt.stuck.arn, attempt.message)
        console.print(Text(" ".join(line).rstrip()), soft_wrap=True)
        refused += attempt.did is Did.REFUSED
    console.print(f"{len(chosen) - refused} of {len(chosen)} are under way 已启动")
    raise typer.Exit(1 if refused else 0)


def _local(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M %z}"
