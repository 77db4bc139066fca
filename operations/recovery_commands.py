"""The commands `stuck`, `redrive` and `resubmit`: choose, show, and act when asked to."""

import functools
import itertools
import sys
from collections import Counter
from dataclasses import replace
from typing import Annotated

import typer
from rich.text import Text

from operations import options, recovery, stuck_listing
from operations.lives import OrderReader
from operations.merchant_files import now
from operations.recovery import Did, Recovery
from operations.remedies import Listing, Remedy, Selection, Stuck
from operations.resubmission import hindrance
from operations.stuck import find_on
from operations.target import Target
from operations.terminal import console

_RATE = 5.0
_A_FEW = 10
_REDRIVE = """Let interrupted executions go on where they failed 重新驱动.

Aborted ones only with --reason ABORTED.
"""
_RESUBMIT = """Start those again, once, that are too old to redrive 重新提交超过 14 天的执行.

With --reason REJECTED or INVALID_INPUT also orders that failed for a cause that is corrected, when
WeChat Pay says they are open 原因已修正的订单. Aborted ones only with --reason ABORTED.
"""


def list_stuck(
    reason: options.Reasons = None,
    order: options.Orders = None,
    mchid: options.Mchids = None,
    since: options.Since = None,
    before: options.Before = None,
    every: Annotated[
        bool, typer.Option("--all", help="also those that need no one, and why 包括无需处理的")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="for a program 输出 JSON")] = False,
    stack_name: options.StackName = options.STACK,
    region: options.Region = None,
    profile: options.Profile = None,
) -> None:
    """List executions that need someone: order, why, since when, and what to do 待处理的执行."""
    target = options.target_of(stack_name, region, profile)
    selection = _selection(reason, order, mchid, since, before)
    listing = find_on(target, selection)
    if not every:
        listing = replace(listing, stuck=listing.needy)
    reader = OrderReader(target, now(), selection.since)
    elsewhere = sorted(selection.orders - {each.out_order_no for each in listing.stuck})
    states = {number: stuck_listing.state_of(reader, number) for number in elsewhere}
    if as_json:
        typer.echo(stuck_listing.as_json(selection, listing, states))
        return
    _say_between(selection)
    for each in listing.stuck:
        for line in stuck_listing.shown(each):
            console.print(line, soft_wrap=True)
    for number, stands in states.items():
        console.print(Text(stuck_listing.state_in_words(number, stands)), soft_wrap=True)
    among = "" if listing.needy else _among(selection) + _others(target, selection)
    console.print(Text(f"{stuck_listing.summary(listing)}{among}"), soft_wrap=True)
    if listing.unseen:
        console.print(
            f"{listing.unseen} older executions that succeeded were not looked at: one of them may have "
            "settled an order listed here; SINCE= narrows it 有成功的执行未检查",
            soft_wrap=True,
        )


def add_to(app: typer.Typer) -> None:
    """Add the three commands to the application."""
    app.command("stuck")(list_stuck)
    _add_recovery(app, "redrive 重新驱动", _REDRIVE)
    _add_recovery(app, "resubmit 重新提交", _RESUBMIT)


def _add_recovery(app: typer.Typer, title: str, explanation: str) -> None:
    """Add a command that lets executions go on; the first word of its title is its name."""
    name = title.partition(" ")[0]

    @app.command(name=name, help=explanation)
    def command(
        reason: options.Reasons = None,
        order: options.Orders = None,
        mchid: options.Mchids = None,
        since: options.Since = None,
        before: options.Before = None,
        dry_run: options.DryRun = False,
        rate: options.Rate = _RATE,
        stack_name: options.StackName = options.STACK,
        region: options.Region = None,
        profile: options.Profile = None,
    ) -> None:
        target = options.target_of(stack_name, region, profile)
        selection = _selection(reason, order, mchid, since, before)
        listing = find_on(target, selection)
        chosen = [
            each for each in listing.stuck if each.remedy.command == name and _is_meant(each, selection)
        ]
        console.print(Text(f"{title}: {target}, {len(chosen)} executions"), soft_wrap=True)
        _say_between(selection)
        if not dry_run and len(chosen) > _A_FEW and sys.stdin.isatty():
            typer.confirm("Go on? 继续？", abort=True)
        recoveries = recovery.recover(
            target.client("stepfunctions"),
            target.state_machine,
            chosen,
            recovery.at_most(rate),
            functools.partial(hindrance, target),
            dry_run=dry_run,
        )
        did = []
        for each in itertools.chain(_passed_over(listing, selection), recoveries):
            line = (each.did.value + ":", each.stuck.out_order_no, each.stuck.arn, each.message)
            console.print(Text(" ".join(line).rstrip()), soft_wrap=True)
            did.append(each.did)
        if not chosen:
            console.print(f"nothing to do 无需处理{_among(selection)}")
        elif dry_run:
            console.print(f"{did.count(Did.WOULD_START)} would be started 将启动（演示，未执行）")
        else:
            under_way = did.count(Did.STARTED) + did.count(Did.ALREADY)
            console.print(f"{under_way} of {len(chosen)} are under way 已启动")
        raise typer.Exit(1 if Did.REFUSED in did else 0)


def _selection(
    reasons: list[str] | None,
    orders: list[str] | None,
    mchids: list[str] | None,
    since: str | None,
    before: str | None,
) -> Selection:
    """Read the options that choose executions."""
    at = now()
    return Selection(
        frozenset(filter(None, reasons or ())),
        frozenset(filter(None, orders or ())),
        frozenset(filter(None, mchids or ())),
        options.past(since, at),
        options.moment(before, at),
    )


def _is_meant(each: Stuck, selection: Selection) -> bool:
    """Leave out what has to be asked for by name: a person aborted it, or its cause has to be corrected."""
    if each.remedy is Remedy.CORRECT:
        return selection.names(each.reason)
    return bool(selection.reasons) or each.status != "ABORTED"


def _passed_over(listing: Listing, selection: Selection) -> list[Recovery]:
    """Return orders that were asked for by number and need nothing, each with the reason."""
    superseded = [each for each in listing.stuck if each.why_nothing and selection.orders]
    return [Recovery(each, Did.SKIPPED, each.why_nothing) for each in superseded]


def _say_between(selection: Selection) -> None:
    """Say which moments were understood: one of another zone than was meant finds other executions."""
    if selection.since is not None:
        console.print(f"ended since {options.zoned(selection.since)} 起始时间", soft_wrap=True)
    if selection.before is not None:
        console.print(f"ended before {options.zoned(selection.before)} 截止时间", soft_wrap=True)


def _among(selection: Selection) -> str:
    return "" if selection == Selection() else ", of what was asked for 仅限所选条件"


def _others(target: Target, selection: Selection) -> str:
    """Say what a reason or merchant leaves out: of a misspelt one nothing is stuck, as if all were well."""
    if not (selection.reasons or selection.mchids):
        return ""
    others = find_on(target, replace(selection, reasons=frozenset(), mchids=frozenset())).needy
    counted = Counter(f"{each.reason} of {each.mchid}" for each in others)
    listed = ", ".join(f"{number} {whose}" for whose, number in counted.most_common(_A_FEW))
    return f"; others need someone 其他待处理: {listed}" if listed else ""
