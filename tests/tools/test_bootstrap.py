"""The environment from the lock file, where a package mirror stands before the public index."""

import base64
import hashlib
import os
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local.aws.embedded import ROOT

WHEEL = "made_up-1.0-py3-none-any.whl"
PYPROJECT = """
[project]
name = "example"
version = "0.1.0"
requires-python = "==3.13.*"
[dependency-groups]
dev = ["made-up==1.0"]
lambda-runtime = ["made-up==1.0"]
[tool.uv]
package = false
"""
# As uv writes it with the public index; the file itself exists only on the mirror.
LOCK = """
version = 1
revision = 3
requires-python = "==3.13.*"

[[package]]
name = "example"
version = "0.1.0"
source = {{ virtual = "." }}

[package.dev-dependencies]
dev = [{{ name = "made-up" }}]
lambda-runtime = [{{ name = "made-up" }}]

[package.metadata]

[package.metadata.requires-dev]
dev = [{{ name = "made-up", specifier = "==1.0" }}]
lambda-runtime = [{{ name = "made-up", specifier = "==1.0" }}]

[[package]]
name = "made-up"
version = "1.0"
source = {{ registry = "https://pypi.org/simple" }}
wheels = [
    {{ url = "https://files.pythonhosted.org/packages/{wheel}", hash = "sha256:{sha256}" }},
]
"""


def wheel(path: Path, text: str) -> str:
    """Write a wheel of one module; returns its SHA-256."""
    files = {
        "made_up.py": text,
        "made_up-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: made-up\nVersion: 1.0\n",
        "made_up-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    records = []
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()
            records.append(f"{name},sha256={digest},{len(content)}")
            archive.writestr(name, content)
        archive.writestr("made_up-1.0.dist-info/RECORD", "\n".join(records) + "\n")
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Mirror(SimpleHTTPRequestHandler):
    """A directory as a package index."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A package index on loopback that serves one wheel: its address, and where the wheel lies."""
    project = tmp_path / "index/simple/made-up"
    project.mkdir(parents=True)
    project.joinpath("index.html").write_text(f'<a href="{WHEEL}">{WHEEL}</a>', encoding="utf-8")

    def handler(*arguments: object) -> Mirror:
        return Mirror(*arguments, directory=str(tmp_path / "index"))

    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/simple", project / WHEEL
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A project of one package with our bootstrap."""
    root = tmp_path / "clone"
    (root / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "tools/bootstrap.sh", root / "tools")
    (root / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    package = root / "simulator/wechatpay_sandbox"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    shutil.copy(ROOT / "simulator/pyproject.toml", root / "simulator")
    return root


def start(root: Path, mirror: str) -> subprocess.Popen[str]:
    """Start the bootstrap; the public index cannot be reached."""
    inherited = {name: os.environ[name] for name in ("HOME", "PATH", "LANG") if name in os.environ}
    uv = f"{ROOT / '.local/uv/bin'}{os.pathsep}{inherited['PATH']}"
    environment = {
        **inherited,
        "PATH": uv,
        "UV_DEFAULT_INDEX": mirror,
        "UV_CACHE_DIR": str(root / "cache"),
        "NO_PROXY": "127.0.0.1",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    return subprocess.Popen(
        ["sh", "tools/bootstrap.sh"],
        cwd=root,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(running: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the bootstrap; returns its exit status and what it printed."""
    _, printed = running.communicate()
    return running.returncode, printed


def set_up(root: Path, mirror: str) -> tuple[int, str]:
    """Run the bootstrap to its end."""
    return finished(start(root, mirror))


def test_a_mirror_serves_what_the_lock_names(clone: Path, mirror: tuple[str, Path]) -> None:
    address, path = mirror
    sha256 = wheel(path, "VALUE = 1\n")
    (clone / "uv.lock").write_text(LOCK.format(wheel=WHEEL, sha256=sha256), encoding="utf-8")
    status, printed = set_up(clone, address)
    assert status == 0, printed
    for python in (".venv/bin/python", ".local/lambda-runtime/bin/python"):
        done = subprocess.run(
            [clone / python, "-c", "import made_up; print(made_up.VALUE)"], capture_output=True, text=True
        )
        assert done.stdout == "1\n", done.stderr


def test_a_mirror_that_serves_another_file_is_refused(clone: Path, mirror: tuple[str, Path]) -> None:
    address, path = mirror
    sha256 = wheel(path, "VALUE = 1\n")
    (clone / "uv.lock").write_text(LOCK.format(wheel=WHEEL, sha256=sha256), encoding="utf-8")
    wheel(path, "VALUE = 2\n")
    status, printed = set_up(clone, address)
    assert status != 0
    assert "Hash mismatch" in printed
    assert not (clone / ".local/ready").exists()


def test_of_two_commands_at_once_one_installs(clone: Path, mirror: tuple[str, Path]) -> None:
    address, path = mirror
    sha256 = wheel(path, "VALUE = 1\n")
    (clone / "uv.lock").write_text(LOCK.format(wheel=WHEEL, sha256=sha256), encoding="utf-8")
    both = [start(clone, address), start(clone, address)]
    results = [finished(each) for each in both]
    assert [status for status, _ in results] == [0, 0], results
    assert sum("Installing what uv.lock names" in printed for _, printed in results) == 1
