"""WeChat Pay APIv3 for smart retail: sign, send, verify, and never take an unproven answer for an answer.

Reading order: `find_order` (an order whose family is not known), `order_apis` (the table of families) ->
`smart_retail`, `service_order` (an API family each) -> `orders` (an order's key and state) -> `client` (one
signed call, verified) -> `signature`, `verification`, `answer`, `transport` -> `errors`. Clocks, randomness
and network come in by `world`. `merchant` knows which keys a merchant has right now.
"""
