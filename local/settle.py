"""`make settle EVENT=events/x.json`: one order through the running stack, followed to its end."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from local import running
from local.stack import Stack
from operations import executions

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class EventError(ValueError):
    """The file is not an event."""


def main() -> int:
    """Settle the order of the file named on the command line. Returns 0 when its execution SUCCEEDED."""
    path = Path(sys.argv[1]) if sys.argv[1:] and sys.argv[1] else None
    try:
        text = _read(path)
        environment = running.read_environment()
        return _settle(text, environment)
    except (EventError, running.NotRunningError) as exc:
        print(exc, file=sys.stderr)
    except KeyboardInterrupt:
        print("\nNo longer following; the execution goes on.", file=sys.stderr)
    return 1


def _read(path: Path | None) -> str:
    if path is None:
        raise EventError("which order? make settle EVENT=events/completed.json")
    try:
        text = path.read_text(encoding="utf-8")
        json.loads(text)
    except OSError as exc:
        raise EventError(f"{path} cannot be read: {exc.strerror}") from exc
    except ValueError as exc:
        raise EventError(f"{path} is not JSON in UTF-8: {exc}") from exc
    return text


def _settle(text: str, environment: dict[str, str]) -> int:
    stack = Stack.find(environment, environment["STACK_NAME"])
    control = environment.get("SIMULATOR_CONTROL")
    if control:
        _open_order(control, json.loads(text))
    arn = stack.start(text, "settle")
    print(arn)
    execution = executions.follow(stack.client("stepfunctions"), arn, _print_step)
    print(f"{execution.status} after {execution.seconds:.1f} s")
    if execution.output is not None:
        print(json.dumps(execution.output, ensure_ascii=False, indent=2))
        return 0
    print(f"error: {execution.error}\ncause: {_readable(execution.cause or '')}")
    return 1


def _print_step(step: executions.Step) -> None:
    if isinstance(step, executions.Entered):
        print(f"  {step.state}", flush=True)
    else:
        print(f"    raised {step.error}: {step.message}", flush=True)


def _readable(cause: str) -> str:
    try:
        return json.dumps(json.loads(cause), ensure_ascii=False, indent=2)
    except ValueError:
        return cause


def _open_order(control: str, event: Any) -> None:
    """Open the shopper's order in the simulator, as the cabinet did when the door was opened."""
    number = event.get("out_order_no") if isinstance(event, dict) else None
    if not isinstance(number, str) or not number:
        return
    url = f"{control}/orders/{urllib.parse.quote(number, safe='')}"
    known = {name: event[name] for name in ("appid", "service_id", "finish_ticket") if name in event}
    body, headers = json.dumps(known).encode(), {"Content-Type": "application/json"}
    try:
        _DIRECT.open(urllib.request.Request(url, body, headers, method="PUT"), timeout=10).close()
    except urllib.error.HTTPError as refused:
        print(f"the simulator opened no order: {refused.read().decode(errors='replace')}", file=sys.stderr)
    except OSError as exc:
        raise running.NotRunningError(f"the simulator does not answer: {exc}") from exc


if __name__ == "__main__":
    sys.exit(main())
