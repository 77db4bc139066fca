"""Orders settled by the real code under a virtual clock, all from one seed. Nothing here ships.

`kernel` is time and turns, `stepper` the workflow, `environments` Lambda with the real functions, `network`
the wire, `wechat` the sandbox's core held to the `oracle`; a `shop` puts them together. See docs/testing.md.
"""

import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]
# Where the functions find what ships with them.
for _folder in ("functions", "layers/wechatpay"):
    if str(_ROOT / _folder) not in sys.path:
        sys.path.insert(0, str(_ROOT / _folder))
