"""A cold start: says when the function was imported and when its first order was settled."""

import time

import handler
from worker import answer

imported = time.monotonic()
handler.settle(0)
answer(imported=imported, done=time.monotonic())
