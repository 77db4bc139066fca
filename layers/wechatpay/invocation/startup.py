"""Starting without the garbage collector, which would take 6 to 9 % of a cold start (docs/benchmarks.md).

It finds little to free while modules are imported. A function imports this first, and calls `done` when all
it keeps is made.
"""

import gc

gc.disable()


def done() -> None:
    """Collect from now on, without looking again through what stays for good."""
    gc.freeze()
    gc.enable()
