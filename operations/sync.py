"""`make sync ORDER= PAID_AT=`: reports to WeChat Pay an order that was paid at the counter 线下收款同步.

WeChat Pay then stops debiting the shopper, for good. So a signed query has to say first that the order is
completed and not paid, and whoever reports it types its number.
"""

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from wechatpay.client import Client
from wechatpay.errors import OrderNotFound, SettlementError, WeChatPayError
from wechatpay.find_order import find_in_any
from wechatpay.forms import SHANGHAI
from wechatpay.order_apis import api_of
from wechatpay.orders import PAID_TO_THE_MERCHANT, OrderKey, OrderState, post

from life import Execution
from life.text import amount
from operations import options, order_query
from operations.errors import CommandError
from operations.live_check import read_credentials
from operations.lives import OrderReader
from operations.merchant_files import now
from operations.options import Mchid, Profile, Region, StackName
from operations.staging import merchant_secret
from operations.terminal import console

_WRITTEN = "%Y%m%d%H%M%S"


def sync_order(
    order: Annotated[str, typer.Option(help="out_order_no 商户订单号")],
    paid_at: Annotated[
        str, typer.Option(help="when it was paid: 20261125140300 (Asia/Shanghai), or as --since 收款时间")
    ],
    mchid: Mchid = None,
    stack_name: StackName = options.STACK,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Report an order as paid at the counter: WeChat Pay stops collecting it 线下收款同步.

    Asks for the order's number before anything is sent. It may be run again with the same time.
    """
    target, at = options.target_of(stack_name, region, profile), now()
    if not order or not paid_at:
        raise CommandError("which order, paid when? make sync ORDER=SR-1 PAID_AT=20261125140300")
    records = OrderReader(target, at).records(order, mchid or None)
    paid = paid_time(paid_at, at, records.executions)
    merchant = target.mchid(records.mchid)
    credentials = read_credentials(merchant_secret(target, merchant), merchant)
    client = order_query.client_of(credentials, target.function.hosts)
    named = {"out_order_no": order, **records.identifiers}
    key, state = find(client, order_query.keys(credentials, named))
    if state.state == "USER_PAID" and state.pay_type == PAID_TO_THE_MERCHANT:
        console.print(f"{order} is reported as paid by other means already 已同步，未再发送", markup=False)
        return
    require_unpaid(order, state)
    confirm(order, state, paid)
    console.print(report(client, key, paid), soft_wrap=True, markup=False)


def paid_time(text: str, now: datetime, executions: Sequence[Execution]) -> datetime:
    """Read when an order was paid. T: completion < paid_time <= the time of the call.

    Raises:
        CommandError: it is no time, lies ahead, or before the order's workflow began.
    """
    try:
        paid = datetime.strptime(text, _WRITTEN).replace(tzinfo=SHANGHAI)
    except ValueError:
        paid = (options.moment(text, now) or now).astimezone(SHANGHAI)
    if paid > now:
        raise CommandError(f"{paid:%Y-%m-%d %H:%M:%S} (Asia/Shanghai) lies ahead 收款时间晚于当前时间")
    began = min((each.began for each in executions), default=None)
    # Times are whole seconds. Whether it is after the completion, to the second, WeChat Pay decides.
    if began is not None and paid < began.replace(microsecond=0):
        raise CommandError(
            f"{paid:%Y-%m-%d %H:%M:%S} (Asia/Shanghai) is before the order was completed 收款时间早于完结时间"
        )
    return paid


def require_unpaid(order: str, state: OrderState) -> None:
    """Let through only an order that is completed and wholly unpaid.

    Raises:
        CommandError: it is not; nothing is sent.
    """
    if state.state == "USER_PAID":
        paid = state.finish_transaction_id or "no transaction id yet"
        raise CommandError(
            f"{order} is paid through WeChat Pay ({paid}): give the money back at the counter, or refund "
            "that payment. Nothing was sent 该订单已由微信支付扣款"
        )
    if state.state != "FINISHED" or state.finish_type != 2 or not state.total_amount:  # noqa: PLR2004 - finished
        raise CommandError(f"{order} has nothing to be paid: {state}. Nothing was sent 该订单没有待支付金额")
    if state.transactions:
        collected = sum(each.amount for each in state.transactions)
        raise CommandError(
            f"{order} is paid in part, {collected} of {state.total_amount} fen. Nothing was sent 已部分支付"
        )


def confirm(order: str, state: OrderState, paid: datetime) -> None:
    """Say what the report stops, and have the order's number typed.

    Raises:
        CommandError: something else was typed.
    """
    console.print(
        f"{order}: WeChat Pay is collecting {amount(state.total_amount)} from the shopper.\n"
        f"Reported as paid at {paid:%Y-%m-%d %H:%M:%S} (Asia/Shanghai), it stops: the shopper is debited "
        f"no more, and nothing takes that back. 同步后微信支付停止扣款，不可撤销。\n"
        f"Type the order number to report it 输入订单号确认: ",
        soft_wrap=True,
        markup=False,
        end="",
    )
    if sys.stdin.readline().strip() != order:
        raise CommandError("that is not the order's number: nothing was sent 未发送")


def report(client: Client, key: OrderKey, paid: datetime) -> str:
    """Report the order as paid, and say what a signed query after it says.

    Raises:
        CommandError: it is not proven to have been taken. It may be sent again: the same time is absorbed.
    """
    body = {"type": "Order_Paid", "detail": {"paid_time": paid.strftime(_WRITTEN)}}
    problem: WeChatPayError | None = None
    try:
        post(client, key._replace(order_api=api_of(key).SYNC), "sync", body)
    except WeChatPayError as exc:
        problem = exc
    _, state = find(client, [key])
    if state.state == "USER_PAID":
        return f"{key.out_order_no}: WeChat Pay says paid; the workflow publishes Order Paid 已同步"
    answer = f"WeChat Pay's answer: {problem}" if problem else "accepted, and not yet seen by a query"
    raise CommandError(f"{key.out_order_no}: {answer}; it is {state}. Run the same command again 请重试")


def find(client: Client, keys: Sequence[OrderKey]) -> tuple[OrderKey, OrderState]:
    """Ask for an order by one key after the other.

    Raises:
        CommandError: there is no verified state.
    """
    try:
        return find_in_any(client, keys)
    except (OrderNotFound, SettlementError) as exc:
        raise CommandError(f"{keys[0].out_order_no}: no verified state 无法确认订单状态: {exc}") from exc
