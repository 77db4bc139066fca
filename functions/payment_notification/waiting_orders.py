"""The orders the workflow waits for, and how to wake it.

The state AwaitNotification writes them, each with the token of its waiting Task. A token works once, and
only while its Task waits, so an order is woken once however many notifications come.
"""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from wechatpay import aws
from wechatpay.orders import SMART_RETAIL, OrderKey

from payment_notification.request import Refused

# Short, and one retry: WeChat Pay waits 5 s in all.
_CONFIG = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 2, "mode": "standard"})
_NOT_WAITING = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")
_GONE = ("ExecutionDoesNotExist",)


@dataclass(frozen=True)
class WaitingOrder:
    """An order that was accepted and is waited for.

    Attributes:
        total_amount: fen, as accepted.
        execution: ARN of the execution that waits.
        token: wakes it.
    """

    key: OrderKey
    total_amount: int
    execution: str
    token: str = field(repr=False)


class WaitingOrders:
    """The table of waiting orders.

    Args:
        table: its name.
    """

    def __init__(self, table: str) -> None:
        self._table = table
        self._dynamodb: Any = aws.client("dynamodb", _CONFIG)
        self._states: Any = aws.client("stepfunctions", _CONFIG)

    def find(self, mchid: str, out_order_no: str) -> WaitingOrder | None:
        """Return the order as it was last waited for; None when it never was.

        Raises:
            Refused: the table did not answer.
        """
        name = {"order": {"S": f"{mchid}/{out_order_no}"}}
        reply = _asked(self._dynamodb.get_item, TableName=self._table, Key=name, ConsistentRead=True) or {}
        item = reply.get("Item")
        if item is None:
            return None
        order_api = item["order_api"]["S"] if "order_api" in item else SMART_RETAIL  # not in older items
        key = OrderKey(mchid, item["appid"]["S"], item["service_id"]["S"], out_order_no, order_api)
        return WaitingOrder(
            key, int(item["total_amount"]["N"]), item["execution"]["S"], token=item["token"]["S"]
        )

    def wake(self, order: WaitingOrder) -> bool:
        """Let the execution go on; False when it already has gone on to its end.

        Raises:
            Refused: it is between two waits and would miss the call, or Step Functions did not answer.
        """
        succeed = self._states.send_task_success
        if _asked(succeed, unless=_NOT_WAITING, taskToken=order.token, output="{}") is not None:
            return True
        if self._runs(order.execution):
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "the execution is asking by itself just now")
        return False

    def _runs(self, execution: str) -> bool:
        described = _asked(self._states.describe_execution, unless=_GONE, executionArn=execution)
        return described is not None and described["status"] == "RUNNING"


def _asked(operation: Any, *, unless: tuple[str, ...] = (), **arguments: Any) -> dict[str, Any] | None:
    """Return AWS's answer, None when it is an error of one of these codes.

    Raises:
        Refused: any other error, or no answer.
    """
    try:
        answer: dict[str, Any] = operation(**arguments)
    except (ClientError, BotoCoreError) as exc:
        if isinstance(exc, ClientError) and exc.response["Error"]["Code"] in unless:
            return None
        reason = f"AWS did not answer: {type(exc).__name__}"
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, reason) from exc
    return answer
