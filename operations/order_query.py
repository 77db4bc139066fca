"""Signed queries of an order, in each API family that it may be of. They change nothing."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus

from wechatpay.client import Client
from wechatpay.credentials import Credentials
from wechatpay.deadline import Deadline
from wechatpay.errors import MerchantMisconfigured, Problem, WeChatPayError
from wechatpay.merchant import Merchant
from wechatpay.order_apis import ORDER_APIS, api_of
from wechatpay.orders import SMART_RETAIL, OrderKey, OrderState
from wechatpay.signed_transport import SignedTransport
from wechatpay.transport import Transport

SECONDS = 20.0
type Failure = WeChatPayError | MerchantMisconfigured | ValueError


def client_of(credentials: Credentials, hosts: Sequence[str], transport: Transport | None = None) -> Client:
    """Return a client of WeChat Pay that has 20 seconds for its calls."""
    signed_transport = SignedTransport(Merchant(lambda: credentials), transport or Transport())
    return Client(signed_transport, hosts, Deadline(SECONDS))


def keys(credentials: Credentials, order: Mapping[str, object], default: str = "") -> list[OrderKey]:
    """Return what names an order of this merchant in each family that it may be of, the likeliest first.

    Args:
        order: `out_order_no`, and `appid`, `service_id` and `order_api` where an event or a result has them.
        default: appid and service_id where neither the order nor the secret has one.
    """
    key = OrderKey(
        credentials.signer.mchid,
        str(order.get("appid") or credentials.appid or default),
        str(order.get("service_id") or credentials.service_id or default),
        str(order["out_order_no"]),
        str(order.get("order_api") or credentials.order_api or SMART_RETAIL),
    )
    return [key] if order.get("order_api") else key.in_families(ORDER_APIS)


def answers(client: Client, keys: Sequence[OrderKey]) -> Iterator[tuple[OrderKey, OrderState | Failure]]:
    """Ask with one key after the other, up to the first that WeChat Pay knows an order by."""
    for key in keys:
        try:
            state = api_of(key).query(client, key)
        except (WeChatPayError, MerchantMisconfigured, ValueError) as exc:
            yield key, exc
        else:
            yield key, state
            return


def is_unknown_order(problem: Problem) -> bool:
    """Whether WeChat Pay says, verified, that it has no such order."""
    return problem.verified and problem.status == HTTPStatus.NOT_FOUND
