"""`python -m tools.checks [NAME ...]`: all checks, or those named; one line each; 1 on any problem."""

import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.checks import preflight, review, secrets, tools, workflow
from tools.sam import ROOT

CHECKS: Mapping[str, Callable[[Path], Sequence[str]]] = {
    "lint": tools.lint,
    "format": tools.format_,
    "types": tools.types,
    "template": tools.template,
    "workflow": workflow.check,
    "preflight": preflight.check,
    "arrows": tools.arrows,
    "review": review.check,
    "leaks": secrets.check,
}


def main(names: Sequence[str], root: Path = ROOT) -> int:
    """Returns the exit status."""
    if unknown := [name for name in names if name not in CHECKS]:
        print(f"No such check: {', '.join(unknown)}. There are: {', '.join(CHECKS)}", file=sys.stderr)
        return 2
    failed = False
    with ThreadPoolExecutor(max_workers=2) as pool:
        running = {name: pool.submit(CHECKS[name], root) for name in names or CHECKS}
        for name, future in running.items():
            problems = future.result()
            failed = failed or bool(problems)
            print(f"{'FAIL' if problems else 'ok  '}  {name}", flush=True)
            for problem in problems:
                print("      " + problem.replace("\n", "\n      "), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
