"""Why an order will never succeed as asked: the `error` of a FAILED result (section 3 of the contract)."""

from typing import Literal, NamedTuple

from wechatpay.errors import Problem
from wechatpay.orders import OrderState

Category = Literal["INVALID_INPUT", "REJECTED", "CONFLICT"]


class Failure(NamedTuple):
    """Why an order will never succeed as asked.

    Attributes:
        category: INVALID_INPUT nothing was applied; REJECTED WeChat Pay will not take it; CONFLICT it is
            already settled with another amount or the other way.
        detail: for INVALID_INPUT every problem with its field path; otherwise WeChat Pay's own text.
        verified: whether WeChat Pay's signature on what is quoted here was valid; None when nothing was sent.
    """

    category: Category
    message: str
    code: str = ""
    status: int | None = None
    detail: str | list[str] = ""
    request_id: str = ""
    verified: bool | None = None

    @classmethod
    def quoting(cls, category: Category, problem: Problem) -> "Failure":
        """Return a failure that quotes WeChat Pay."""
        return cls(category, **problem._asdict())

    @classmethod
    def of_state(cls, category: Category, message: str, state: OrderState) -> "Failure":
        """Return a failure that says in what state a verified query found the order."""
        return cls(category, message, detail=str(state), request_id=state.request_id, verified=True)
