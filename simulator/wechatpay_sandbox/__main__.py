"""The sandbox as a process: ``wechatpay-sandbox``, or ``python -m wechatpay_sandbox``."""

import argparse
import json
import logging
import signal
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from wechatpay_sandbox import APPID, MCHID, MODES, SERVICE_ID, fault_kinds, rules, ruleset

if TYPE_CHECKING:
    from wechatpay_sandbox import Simulator

_YEAR = 365 * 24 * 3600
_OF_THE_PROCESS = ("command", "quiet", "json")
"""Arguments that are no options of a Simulator."""


def _debit_after(text: str) -> float | None:
    if text == "never":
        return None
    seconds = float(text)
    if not 0 <= seconds <= _YEAR:
        raise argparse.ArgumentTypeError(f"from 0 to {_YEAR} seconds, or never")
    return seconds


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 0xFFFF:
        raise argparse.ArgumentTypeError("from 0 to 65535")
    return port


def _clock(text: str) -> float:
    seconds = float(text)
    if not -_YEAR <= seconds <= _YEAR:
        raise argparse.ArgumentTypeError("at most a year")
    return seconds


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="wechatpay-sandbox",
        description="A stand-in for WeChat Pay Score on 127.0.0.1. `rules` and `faults` print tables.",
    )
    parser.add_argument("command", nargs="?", choices=("serve", "rules", "faults"), default="serve")
    parser.add_argument("--port", type=_port, default=0, help="main host; 0, the default, is any free port")
    parser.add_argument("--backup-port", type=_port, default=0, help="backup host")
    parser.add_argument("--control-port", type=_port, default=0, help="HTTP control")
    parser.add_argument("--mchid", help=f"as kept, else {MCHID}")
    parser.add_argument("--appid", help=f"as kept, else {APPID}")
    parser.add_argument("--service-id", help=f"as kept, else {SERVICE_ID}")
    parser.add_argument("--keys", choices=MODES, help="as kept, else public_key")
    parser.add_argument(
        "--debit-after",
        type=_debit_after,
        default=0.2,
        metavar="SECONDS|never",
        help="from an order's completion to its payment, default 0.2",
    )
    parser.add_argument("--tls", action="store_true", help="speak https; ca_file names the authority")
    parser.add_argument(
        "--state",
        metavar="DIR",
        help="keep the merchant, its files and keys, orders, purses, tolerated rules, clocks, planned faults "
        "and notifications in this directory",
    )
    parser.add_argument(
        "--tolerate",
        action="append",
        metavar="RULE",
        help="lift rules, by name or pattern, and no others; may be repeated; else as kept, or none",
    )
    parser.add_argument(
        "--clock",
        type=_clock,
        dest="clock_skew",
        metavar="SECONDS",
        help="its clock is ahead by; else as kept",
    )
    parser.add_argument("--notify-anywhere", action="store_true", help="notifications may leave this machine")
    parser.add_argument("--quiet", action="store_true", help="print no line for each refused request")
    parser.add_argument("--json", action="store_true", help="say where it is as JSON, also to a person")
    return parser.parse_args()


def _print_table(rows: Iterable[Mapping[str, str]]) -> None:
    for number, row in enumerate(rows):
        if not number:
            print("| " + " | ".join(row) + " |")
            print("|" + " --- |" * len(row))
        print("| " + " | ".join(value.replace("|", "\\|") for value in row.values()) + " |")


def _serve(arguments: argparse.Namespace) -> None:
    from wechatpay_sandbox.simulator import Simulator

    stopping = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping)
    options = {name: value for name, value in vars(arguments).items() if name not in _OF_THE_PROCESS}
    with Simulator(**options, refused=None if arguments.quiet else _print_refused) as simulator:
        ready = _ready(simulator)
        if sys.stdout.isatty() and not arguments.json:
            print("\n".join(f"{name:24} {value}" for name, value in _lines(ready)), flush=True)
        else:
            print(json.dumps(ready), flush=True)
        signal.sigwait(stopping)


def _print_refused(record: Mapping[str, Any]) -> None:
    """One line on standard error: which request, by which rule, why in plain words, and the rule's source."""
    refused, path = record["refused"], record["target"].partition("?")[0]
    field = f" {refused['field']}" if "field" in refused else ""
    request = "".join(each if each.isprintable() else "?" for each in f"{record['method']} {path}{field}")
    why = f"{refused['rule']}: {refused['reason']} [{refused['source']}]"
    print(f"refused {record['status']} {request}: {why}", file=sys.stderr, flush=True)


def _ready(simulator: "Simulator") -> dict[str, Any]:
    secret = simulator.secret()
    ready: dict[str, Any] = {
        "hosts": simulator.hosts,
        "control": simulator.control_url,
        "merchant_files": str(simulator.merchant_files.absolute()),
        "mchid": secret["mchid"],
        "merchant_serial_no": secret["merchant_serial_no"],
        "appid": secret["appid"],
        "service_id": secret["service_id"],
    }
    if "wechatpay_public_key_id" in secret:
        ready["wechatpay_public_key_id"] = secret["wechatpay_public_key_id"]
    if simulator.ca_file is not None:
        ready["ca_file"] = simulator.ca_file
    return ready


def _lines(ready: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in ready.items():
        yield name, " ".join(value) if isinstance(value, list) else value
    yield "", "apiclient_key.pem, apiclient_cert.pem, api_v3_key.txt, pub_key.pem are among the files."


def main() -> None:
    """Serve until SIGTERM or SIGINT, or print a table."""
    arguments = _arguments()
    if arguments.command == "rules":
        _print_table(rules.describe(ruleset.RULES))
    elif arguments.command == "faults":
        _print_table(fault_kinds.describe())
    else:
        logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of clients that leave in the middle
        try:
            _serve(arguments)
        except (ValueError, OSError) as problem:
            sys.exit(f"wechatpay-sandbox: {problem}")


if __name__ == "__main__":
    main()
