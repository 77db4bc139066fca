"""The simulator as a process: ``python -m wechatpay_sandbox``. Prints one line of JSON when it is ready."""

import argparse
import json
import logging
import signal

from wechatpay_sandbox import MCHID, Simulator
from wechatpay_sandbox.fault_kinds import describe
from wechatpay_sandbox.keys import MODES


def _seconds(text: str) -> float | None:
    return None if text == "never" else float(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m wechatpay_sandbox", description="WeChat Pay simulator")
    parser.add_argument("--port", type=int, default=0, help="main host; 0 is any free port")
    parser.add_argument("--backup-port", type=int, default=0, help="backup host")
    parser.add_argument("--control-port", type=int, default=0, help="HTTP control")
    parser.add_argument("--mchid", default=MCHID)
    parser.add_argument("--debit-after", type=_seconds, default=0.2, metavar="SECONDS|never")
    parser.add_argument("--keys", choices=MODES, default="public_key")
    parser.add_argument("--tls", action="store_true", help="speak https; the line printed names the CA file")
    parser.add_argument("--list-faults", action="store_true", help="print a table of the faults and exit")
    return parser.parse_args()


def _list_faults() -> None:
    rows = describe()
    print("| " + " | ".join(rows[0]) + " |")
    print("|" + " --- |" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(row.values()) + " |")


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    arguments = _arguments()
    if arguments.list_faults:
        _list_faults()
        return
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of clients that leave in the middle
    stopping = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping)
    with Simulator(
        arguments.mchid,
        arguments.keys,
        arguments.debit_after,
        tls=arguments.tls,
        port=arguments.port,
        backup_port=arguments.backup_port,
        control_port=arguments.control_port,
    ) as simulator:
        ready = {"hosts": simulator.hosts, "control": simulator.control_url}
        if simulator.ca_file is not None:
            ready["ca_file"] = simulator.ca_file
        print(json.dumps(ready), flush=True)
        signal.sigwait(stopping)


if __name__ == "__main__":
    main()
