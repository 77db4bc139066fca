"""`make up`: the local stack, kept running until `make down`."""

import subprocess
import sys

from local import running
from tools.sam import ROOT


def main() -> int:
    """Start the supervisor and wait until its stack is ready. Returns the exit status."""
    if running.supervisor() is not None:
        print("A local stack is running already; `make down` stops it.")
        return 1
    running.STATE.mkdir(parents=True, exist_ok=True)
    with (running.STATE / "supervisor.log").open("wb") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "local.supervisor"],
            cwd=ROOT,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        for line in supervisor.stdout or ():
            print(line, end="", flush=True)
    except KeyboardInterrupt:
        supervisor.terminate()
        supervisor.wait()
        return 130
    if not running.ENVIRONMENT.exists():
        supervisor.wait()
        print((running.STATE / "supervisor.log").read_text(), end="", file=sys.stderr)
        return 1
    _explain(running.read_environment())
    return 0


def _explain(environment: dict[str, str]) -> None:
    ours = environment.get("SIMULATOR_CONTROL")
    wechat = (
        f"WeChat Pay simulator, control at {ours}" if ours else "the hosts you gave; store your own secret"
    )
    print(
        f"""
Ready. AWS: {environment["AWS_ENDPOINT_URL"]}   WeChat Pay: {wechat}
Console 控制台: {environment["CONSOLE_URL"]}
  make settle EVENT=events/completed.json   settle an order
  . .local/env                              point the AWS CLI and SDKs here
  make down                                 stop and remove it"""
    )


if __name__ == "__main__":
    sys.exit(main())
