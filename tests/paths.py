"""Order numbers as they stand in a path."""


def escaped(order_no: str) -> str:
    """Percent-encode the two characters of an order number that need it."""
    return order_no.replace("|", "%7C").replace("*", "%2A")
