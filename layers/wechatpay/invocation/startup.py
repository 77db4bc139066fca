"""Starting without the garbage collector, which finds little to free while modules are imported.

A function imports this first, and calls `done` when all it keeps is made. What that saves is in
docs/benchmarks.md.
"""

import gc

gc.disable()


def done() -> None:
    """Collect from now on, without looking again through what stays for good."""
    gc.freeze()
    gc.enable()
