"""The order in a notification of payment, in both shapes it is known in.

- serviceorder (微信支付分): `state` DONE, and what was collected in `collection`. The envelope is official,
  https://pay.weixin.qq.com/doc/v3/merchant/4012587960; its fields are known from copies of that page.
- smart retail (智慧零售), whose page is retired: the fields that its query returns, `state` USER_PAID.
  Inferred from the query; there is no official text of it.

It makes no difference here which of them arrives: only what both have is read, and a signed query decides.
"""

from dataclasses import dataclass
from typing import Any

from wechatpay.orders import OrderKey

USER_PAID = "PAYSCORE.USER_PAID"


@dataclass(frozen=True)
class PaidOrder:
    """An order that a notification calls paid.

    Attributes:
        total_amount: fen.
    """

    key: OrderKey
    total_amount: int

    @classmethod
    def parse(cls, resource: dict[str, Any]) -> "PaidOrder":
        """Read an opened resource.

        Raises:
            ValueError: it calls no order paid, or lacks fields, which are named without their values.
        """
        collection = resource.get("collection")
        collected = collection if isinstance(collection, dict) else {}
        if "USER_PAID" not in (resource.get("state"), collected.get("state")):
            raise ValueError("the resource does not say USER_PAID")
        names = ("mchid", "appid", "service_id", "out_order_no")
        wrong = [name for name in names if not isinstance(resource.get(name), str)]
        amount = resource.get("total_amount", collected.get("total_amount"))
        if wrong or type(amount) is not int:  # isinstance would take true for 1
            wrong += [] if type(amount) is int else ["total_amount"]
            raise ValueError(f"the resource lacks {', '.join(wrong)}")
        return cls(OrderKey(**{name: resource[name] for name in names}), amount)
