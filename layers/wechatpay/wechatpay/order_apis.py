"""The API families by the name that events, secrets and results carry as `order_api`."""

from collections.abc import Mapping

from . import service_order, smart_retail
from .orders import PAY_AFTER, SERVICE_ORDER, SMART_RETAIL, OrderApi, OrderKey

# T: complete and query of payafter-orders are field for field those of smartretail-orders.
ORDER_APIS: Mapping[str, OrderApi] = {
    SMART_RETAIL: smart_retail,
    PAY_AFTER: smart_retail,
    SERVICE_ORDER: service_order,
}


def api_of(key: OrderKey) -> OrderApi:
    """Return the API of the family an order was created with."""
    return ORDER_APIS[key.order_api]
