"""Starts the embedded AWS in a process of its own, and leaves nothing behind when it stops."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

from operations.errors import CommandError

ROOT = Path(__file__).resolve().parents[2]
FUNCTION_PYTHON = ROOT / ".local" / "lambda-runtime" / "bin" / "python"
# The AWS CLI 1 sends SQS of older regions to a host of its own, whatever AWS_ENDPOINT_URL says.
REGION = "eu-central-2"
START_SECONDS = 60
# What the functions may see of this machine. Everything else, an AWS_ENDPOINT_URL or a proxy above all,
# would send their calls somewhere else.
_PASSED_ON = ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


class EmbeddedAwsError(CommandError):
    """The embedded AWS did not start: the message says why and what to do."""


class EmbeddedAws:
    """MiniStack on 127.0.0.1, as a context manager.

    `account` (12 digits) separates stacks that share one server: names of secrets, queues and log groups are
    unique within an account. Without it the access key is `test`, which `auth` treats as root.

    `wait_scale` multiplies every Wait and Retry delay (0 skips them). `auth` makes the policies of the
    functions' roles count. `environment` is added to what functions see. `log` keeps the server's log there.

    Raises `EmbeddedAwsError` when the port is taken, when MiniStack is not the release the patches were
    written for, or when the functions' interpreter is missing.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        account: str = "test",
        wait_scale: float = 0.05,
        auth: bool = False,
        environment: dict[str, str] | None = None,
        log: Path | None = None,
        function_python: Path = FUNCTION_PYTHON,
    ) -> None:
        self.port = port
        self.account = account
        self._wait_scale = wait_scale
        self._auth = auth
        self._environment = environment or {}
        self._log = log
        self._function_python = function_python
        self._process: subprocess.Popen[bytes] | None = None
        self._private: Path | None = None

    @property
    def endpoint(self) -> str:
        """Base URL of every service."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the server, which is also the process group of the functions it runs."""
        assert self._process is not None, "the embedded AWS is not running"
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the server is still running."""
        return self._process is not None and self._process.poll() is None

    def environment(self, account: str | None = None) -> dict[str, str]:
        """Variables that point an AWS SDK or the SAM CLI at this server."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": account or self.account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }

    def client(self, service: str, account: str | None = None) -> Any:
        """Return a boto3 client of `service` on this server."""
        from local.aws.client import connect  # half a second that the server's own process need not pay

        return connect(service, self.environment(account))

    def start(self) -> Self:
        """Start the server and wait until it answers."""
        if not self._function_python.exists():
            raise EmbeddedAwsError(f"{self._function_python} is missing: run `make build` first")
        try:
            with _listen(self.port) as listener:
                self.port = listener.getsockname()[1]
                self._private = Path(tempfile.mkdtemp(prefix="embedded-aws-"))
                self._process = self._spawn(listener, self._private)
            # The listener is the child's alone now: when the child ends, a waiting request is reset at once.
            self._await_answer()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Kill the server and the functions it runs, and remove their files."""
        process, self._process = self._process, None
        if process is not None:
            # The group holds the functions' processes too. It is still ours while one of it lives.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdin is not None:
                process.stdin.close()
        private, self._private = self._private, None
        if private is not None:
            shutil.rmtree(private, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def _spawn(self, listener: socket.socket, private: Path) -> subprocess.Popen[bytes]:
        fd = listener.fileno()
        log = self._log or private / "server.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        with log.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "local.aws.server", str(fd), str(self._function_python)],
                cwd=ROOT,
                env=self._child_environment(private),
                # Never written to: the child ends itself when this end closes, however we die.
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[fd],
                # A group of its own: Ctrl-C reaches us alone, and one signal ends the server and functions.
                start_new_session=True,
            )

    def _child_environment(self, private: Path) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            "HOME": str(private),
            "TMPDIR": str(private),
            # Otherwise it keeps a key it made in a folder of /tmp that nobody removes.
            "STATE_DIR": str(private),
            "TZ": "UTC",
            "LANG": "C.UTF-8",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "SFN_WAIT_SCALE": str(self._wait_scale),
            "AUTH": "true" if self._auth else "false",
            "LAMBDA_EXECUTOR": "local",
            # Otherwise it also listens on every interface, on the port of MQTT.
            "IOT_MTLS_ENABLED": "0",
            # No Docker, even where there is one: it would remove containers that it believes are its own.
            "DOCKER_HOST": f"unix://{private}/no-docker.sock",
            "LOG_LEVEL": "WARNING",
            "AWS_EC2_METADATA_DISABLED": "true",
            **self._environment,
        }

    def _await_answer(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
        try:
            connection.request("GET", "/_ministack/health")
            connection.getresponse().read()
        except OSError as exc:
            raise EmbeddedAwsError(f"the embedded AWS did not start: {self._last_words()}") from exc
        finally:
            connection.close()

    def _last_words(self) -> str:
        text = self._log.read_text(errors="replace").strip() if self._log else ""
        return text.splitlines()[-1] if text else "it wrote nothing to its log"


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(1024)
    except OSError as exc:
        listener.close()
        raise EmbeddedAwsError(f"port {port} of 127.0.0.1 cannot be used: {exc.strerror}") from exc
    return listener
