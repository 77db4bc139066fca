"""The page docs/simulator.md: its commands and programs run as they are written.

Only the ports are others, so that any machine has them free.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notify_url import NotifyUrl, notify_url
from tools import node

PAGES = {language: Path(f"docs/simulator{language}.md") for language in ("", ".zh-CN")}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"^<!-- not run by tests/simulator: .{10,} -->$", re.MULTILINE)
NOT_RUN = ("php", "go", "java")


def blocks(kind: str, language: str = "") -> list[str]:
    text = PAGES[language].read_text(encoding="utf-8")
    return [code for name, code in BLOCK.findall(text) if name == kind]


@pytest.fixture(scope="module")
def merchant() -> Iterator[NotifyUrl]:
    """The address for notifications that the page's commands name."""
    with notify_url() as running:
        yield running


@pytest.fixture(scope="module")
def ports(merchant: NotifyUrl) -> dict[str, str]:
    """The page's ports, and the ones they are here."""
    with socket.socket() as a, socket.socket() as b, socket.socket() as c:
        for each in (a, b, c):
            each.bind(("127.0.0.1", 0))
        free = [str(each.getsockname()[1]) for each in (a, b, c)]
    return dict(zip(("8081", "8082", "8083"), free, strict=True)) | {"9000": str(merchant.port)}


def here(code: str, ports: dict[str, str]) -> str:
    return re.sub(r"\b(8081|8082|8083|9000)\b", lambda match: ports[match[0]], code)


@pytest.fixture(scope="module")
def place(ports: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty directory where the page's first command runs."""
    directory = tmp_path_factory.mktemp("stranger")
    (command,) = [code for code in blocks("sh") if code.startswith("wechatpay-sandbox")]
    programs = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = here(command, ports).strip()
    with subprocess.Popen(["sh", "-c", f"exec {command}"], cwd=directory, env=programs) as process:
        try:
            while not (directory / "ready.json").exists() or not (directory / "ready.json").read_text():
                assert process.poll() is None
            yield directory
        finally:
            process.send_signal(signal.SIGTERM)


@pytest.fixture(scope="module")
def clients(place: Path, ports: dict[str, str]) -> dict[str, str]:
    """What each client of the page prints of the order that the page opens first."""
    (first,) = [code for code in blocks("sh") if code.startswith("curl")]
    subprocess.run(["sh", "-ec", here(first, ports)], stdout=subprocess.DEVNULL, check=True)
    node.install()
    (python,) = [code for code in blocks("python") if "wechatpayv3" in code]
    (js,) = blocks("js")
    printed = {}
    for name, command in (("python", [sys.executable, "-c", python]), ("node", [node.NODE, "-e", js])):
        where = {"PATH": os.defpath, "NODE_PATH": str(node.MODULES), "NO_PROXY": "127.0.0.1"}
        done = subprocess.run(command, cwd=place, env=where, capture_output=True, text=True, check=True)
        printed[name] = done.stdout
    return printed


@pytest.fixture(scope="module")
def answers(place: Path, ports: dict[str, str], clients: dict[str, str]) -> list[tuple[str, object]]:
    """What each command of the page's long list printed; it changes the keys, so the clients came first."""
    (script,) = [code for code in blocks("sh") if code.startswith("CONTROL=")]
    set_up, *lines = [line for line in here(script, ports).splitlines() if line and line[0] != "#"]
    run = f"{set_up}\n" + "\nprintf '\\0'\n".join(lines)
    done = subprocess.run(["sh", "-ec", run], cwd=place, capture_output=True, text=True, check=True)
    return list(zip(lines, map(json.loads, done.stdout.split("\0")), strict=True))


def test_the_ready_line_is_what_the_page_shows(place: Path):
    (shown,) = blocks("json")
    ready = json.loads((place / "ready.json").read_text())
    assert [*json.loads(shown)] == [*ready]
    files = {path.name for path in Path(ready["merchant_files"]).iterdir()}
    page = PAGES[""].read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in files)


def test_every_command_of_the_page_does_something(answers: list[tuple[str, object]]):
    assert len(answers) >= 30
    for line, answer in answers:
        assert not (isinstance(answer, dict) and "error" in answer), (line, answer)


@pytest.mark.parametrize(("client", "shown"), [("python", '"out_order_no":"FIRST-1"'), ("node", "'FIRST-1'")])
def test_a_client_of_the_page_reads_an_order(clients: dict[str, str], client: str, shown: str):
    assert shown in clients[client]


def test_the_sandbox_in_a_thread_runs_as_the_page_shows_it():
    (program,) = [code for code in blocks("python") if "import Simulator" in code]
    subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)


def test_what_is_not_run_says_why():
    for language, page in PAGES.items():
        marks = MARK.findall(page.read_text(encoding="utf-8"))
        assert len(marks) == sum(len(blocks(kind, language)) for kind in NOT_RUN)


def test_both_languages_show_the_same_code():
    for kind in ("python", "js", "json", *NOT_RUN):
        assert blocks(kind) == blocks(kind, ".zh-CN")
    commands = [
        [line for code in blocks("sh", language) for line in code.splitlines() if line and line[0] != "#"]
        for language in PAGES
    ]
    assert commands[0] == commands[1]
    assert sum(line.startswith("curl ") for line in commands[0]) >= 30
