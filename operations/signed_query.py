"""The signed query that proves credentials: what WeChat Pay's answer to it says of key, service and order."""

import secrets
from collections.abc import Iterable, Sequence
from http import HTTPStatus

from wechatpay.credentials import Credentials
from wechatpay.errors import MerchantMisconfigured, Problem, ReplyError, ServiceError
from wechatpay.orders import SMART_RETAIL, OrderKey, OrderState
from wechatpay.transport import Transport

from operations.order_query import Failure, answers, client_of, is_unknown_order, keys
from operations.report import Finding, failed, note, passed

WHERE = "商户平台 → 账户中心 → API安全"
_QUERY = "signed query 签名查单"
_PLACEHOLDER = "0"


def query(credentials: Credentials, hosts: Sequence[str], transport: Transport, order: str | None) -> Finding:
    """Ask for an order, in every API, or without one for an order that cannot exist."""
    number = order or f"DOCTOR-{secrets.token_hex(12)}"
    of_each_api = keys(credentials, {"out_order_no": number}, _PLACEHOLDER)
    given = answers(client_of(credentials, hosts, transport), of_each_api)
    key, answer = next(given)
    match answer:
        case OrderState():
            return _proven(key, answer)
        case ServiceError(problem=problem):
            if order and is_unknown_order(problem):
                return _elsewhere(key, problem, given)
            return _answered(problem, credentials)
        case MerchantMisconfigured():
            return failed(
                _QUERY,
                f"{answer}. The secret holds no WeChat Pay public key, so platform certificates were "
                "downloaded. When this merchant uses the public key, give it and its id "
                f"({WHERE} → 微信支付公钥)",
            )
        case ReplyError(problem=problem):
            return failed(_QUERY, _not_verified(problem))
    return failed(_QUERY, f"no answer: {answer}. Check the way from this machine to {', '.join(hosts)}")


def _proven(key: OrderKey, state: OrderState, more: str = "") -> Finding:
    return passed(
        _QUERY,
        f"verified 200: order {key.out_order_no} of {key.order_api} is {state.state}; key and serial agree, "
        f"service_id {key.service_id} and appid {key.appid} are proven{more}",
    )


def _elsewhere(
    key: OrderKey, problem: Problem, others: Iterable[tuple[OrderKey, OrderState | Failure]]
) -> Finding:
    """Say what the other APIs answer about an order that its own does not know."""
    shown = f"{key.order_api}: 404"
    for other, answer in others:
        match answer:
            case OrderState():
                more = (
                    f". The secret's orders are taken for {key.order_api}, which does not know this one: "
                    "the function asks the others, unless the event excludes them by its order_api or "
                    "finish_ticket"
                )
                return _proven(other, answer, more)
            case ReplyError(problem=theirs):
                shown += f", {other.order_api}: {theirs.status}{'' if theirs.verified else ' not verified'}"
            case _:
                shown += f", {other.order_api}: no answer"
    return failed(
        _QUERY,
        f"WeChat Pay does not know order {key.out_order_no} 微信支付查无此单 ({shown}; {problem}); key and "
        "serial agree. Its number may be mistyped or another merchant's, or it was created with another "
        f"service_id or appid than {key.service_id} and {key.appid}",
    )


def _answered(problem: Problem, credentials: Credentials) -> Finding:
    """Read what a refusal proves: WeChat Pay checks our signature before it looks at the order."""
    match problem.status:
        case HTTPStatus.UNAUTHORIZED:
            return failed(
                _QUERY,
                f"WeChat Pay refuses the signature ({problem}). "
                f"Serial {credentials.signer.serial_no} and the private key must be those of a certificate "
                f"that merchant {credentials.signer.mchid} has in use ({WHERE} → API证书)",
            )
        case HTTPStatus.FORBIDDEN:
            return failed(
                _QUERY,
                f"the merchant may not do this ({problem}). Ask WeChat Pay to open "
                f"{credentials.order_api or SMART_RETAIL} (微信支付分) for this mchid and service_id, or "
                "store the API it has: make secret ORDER_API=",
            )
        case HTTPStatus.TOO_MANY_REQUESTS:
            return failed(_QUERY, f"too many requests ({problem}). Try again in a minute")
    if not problem.verified:
        return failed(_QUERY, _not_verified(problem))
    if is_unknown_order(problem):
        return passed(_QUERY, "verified 404 for an order that cannot exist; key and serial agree")
    if problem.status == HTTPStatus.BAD_REQUEST and not (credentials.appid and credentials.service_id):
        return note(
            _QUERY,
            "verified 400: key and serial agree. The secret has no appid or no service_id, so the service "
            "itself was not checked",
        )
    return failed(
        _QUERY,
        f"key and serial agree, but WeChat Pay refuses the query ({problem}). "
        f"Check appid {credentials.appid} and service_id {credentials.service_id}",
    )


def _not_verified(problem: Problem) -> str:
    return (
        f"the reply is not proven to be WeChat Pay's ({problem}). The public key and its id must be the pair "
        f"shown at {WHERE} → 微信支付公钥. When they are: some refusals are not signed, "
        "so name an order that exists, ORDER=..."
    )
