"""`make smoke`: after a deployment, one execution that shows the stack works, followed to its end.

Without an order it cancels one that cannot exist. The function has no ticket, so it asks by a signed query
and sends nothing else; WeChat Pay's verified 404 ends it as REJECTED, published as `Order Failed` with
`metadata.smoke`. That exercises the workflow, the function, the secret, WeChat Pay and the bus, and charges
nobody. It is a FAILED execution on purpose: an alarm on those may ring once.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from wechatpay.orders import SMART_RETAIL

from life import Execution
from life.reading import json_object, message_of
from operations import executions, live_check, order_event
from operations.errors import CommandError
from operations.staging import merchant_secret
from operations.target import Target

_TO_FAILED = ["ServiceEnded", "Outcome", "OrderFailed", "Failed"]
_POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Smoke:
    """One execution to start, and what it must come to.

    Attributes:
        event: the order event, as JSON.
        number: the order that WeChat Pay has to know; None when it must not exist.
        mchid: the merchant that the event names; None leaves the stack's.
        expected: what it must come to, in words.
        holds: tells whether an execution came to that.
    """

    event: str
    expected: str
    holds: Callable[[Execution], bool]
    number: str | None = None
    mchid: str | None = None


def order(path: Path) -> Smoke:
    """Settle the order of a file, for real: it must succeed, or be accepted and wait to be paid."""
    text, event = order_event.read(path)
    if not isinstance(event, dict) or not isinstance(event.get("out_order_no"), str):
        raise CommandError(f"{path} is no order event: it has no out_order_no")
    return Smoke(
        text,
        "SUCCEEDED, or accepted and waiting to be paid",
        lambda execution: (
            execution.status == "SUCCEEDED"
            or (execution.status == "RUNNING" and executions.accepted(execution))
        ),
        event["out_order_no"],
        str(event["mchid"]) if event.get("mchid") else None,
    )


def impossible_order(mchid: str, appid: str, service_id: str, order_api: str) -> Smoke:
    """Cancel an order that cannot exist: it must be refused by WeChat Pay itself, verified.

    The event names appid and service_id: a 404 under the secret's own would be the merchant's fault. And the
    API: the others, which the merchant may have no permission for, would be asked too.
    """
    event = {
        "out_order_no": _number(),
        "mchid": mchid,
        "appid": appid,
        "service_id": service_id,
        "order_api": order_api,
        "finish_type": 1,
        "cancel_reason": "smoke test",
        "metadata": {"smoke": True},
    }

    def holds(execution: Execution) -> bool:
        problem = json_object(execution.cause)
        return (
            execution.states == _TO_FAILED
            and execution.error == "REJECTED"
            and problem.get("status") == HTTPStatus.NOT_FOUND
            and problem.get("verified") is True
        )

    return Smoke(json.dumps(event), "FAILED in OrderFailed: REJECTED by a verified 404", holds)


def identifiers(
    target: Target, mchid: str, appid: str | None, service_id: str | None
) -> tuple[str, str, str]:
    """Return appid and service_id, those given, else those of the merchant's secret; and its order_api."""
    credentials = live_check.read_credentials(merchant_secret(target, mchid), mchid)
    appid, service_id = appid or credentials.appid, service_id or credentials.service_id
    if not (appid and service_id):
        raise CommandError(
            f'the secret of {mchid} has no appid or no service_id: ARGS="--appid wx... --service-id 500..."'
        )
    return appid, service_id, credentials.order_api or SMART_RETAIL


def invalid_order() -> Smoke:
    """Send an event that breaks the rules: nothing may reach WeChat Pay. Needs no merchant."""
    event = {"out_order_no": _number(), "finish_type": 0, "metadata": {"smoke": True}}
    return Smoke(
        json.dumps(event),
        "FAILED in OrderFailed: INVALID_INPUT, nothing sent",
        lambda execution: execution.states == _TO_FAILED and execution.error == "INVALID_INPUT",
    )


def run(target: Target, smoke: Smoke, say: Callable[[str], None]) -> bool:
    """Start the execution, follow it, print path and result. Returns whether it came to what it must."""
    client = target.client("stepfunctions")
    started = client.start_execution(
        stateMachineArn=target.state_machine, name=f"smoke-{secrets.token_hex(16)}", input=smoke.event
    )
    say(started["executionArn"])
    execution = executions.follow(
        client,
        started["executionArn"],
        lambda step: say(f"  {step}"),
        until=executions.WAITS_FOR_PAYMENT,
        poll_seconds=_POLL_SECONDS,
    )
    if execution.output is not None:
        say(json.dumps(execution.output, ensure_ascii=False, indent=2))
    elif execution.error or execution.cause:
        say(f"{execution.error}: {message_of(execution.cause)}")
    good = smoke.holds(execution)
    say(f"{execution.status}; expected {smoke.expected}")
    return good


def _number() -> str:
    return f"SMOKE-{secrets.token_hex(12)}"
