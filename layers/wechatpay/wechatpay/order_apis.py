"""The API families by the name that events, secrets and results carry as `order_api`."""

from collections.abc import Mapping

from . import smart_retail
from .errors import MerchantMisconfigured
from .orders import PAY_AFTER, SMART_RETAIL, OrderApi, OrderKey

# T: complete and query of payafter-orders are field for field those of smartretail-orders.
ORDER_APIS: Mapping[str, OrderApi] = {SMART_RETAIL: smart_retail, PAY_AFTER: smart_retail}


def api_of(key: OrderKey) -> OrderApi:
    """Return the API of the family an order was created with.

    Raises:
        MerchantMisconfigured: this release does not serve that family; a later one may.
    """
    try:
        return ORDER_APIS[key.order_api]
    except KeyError:
        served = ", ".join(ORDER_APIS)
        raise MerchantMisconfigured(f"order_api: {key.order_api} is none of {served}") from None
