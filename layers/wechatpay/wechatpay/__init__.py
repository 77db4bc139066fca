"""WeChat Pay APIv3 for smart retail: sign, send, verify, and never take an unproven answer for an answer.

Reading order: `smart_retail` (the two calls) -> `client` (one signed call, verified) -> `signature`,
`verification`, `answer`, `transport` -> `errors`. All that comes from outside (clocks, randomness, network) comes in
by `world`. `merchant` knows which keys a merchant has right now.
"""
