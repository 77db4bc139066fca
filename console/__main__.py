"""`python -m console`: serves the pages on 127.0.0.1, and prints the address with its token."""

import os
import secrets
import signal
import socket
import sys
import threading
from typing import Annotated

import typer
from aiohttp import web

from console.app import make_app
from console.sandbox import Sandbox
from console.web import Console
from operations import options
from operations.options import Profile, Region, StackName
from operations.target import is_local


def main(
    port: Annotated[int, typer.Option(min=0, max=65535, help="of 127.0.0.1; 0 takes a free one")] = 0,
    with_parent: Annotated[bool, typer.Option("--with-parent", help="end when standard input does")] = False,
    stack_name: StackName = options.STACK,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Serve the console of a stack until interrupted 在本机提供控制台页面."""
    token = secrets.token_urlsafe(24)
    control = os.environ.get("SIMULATOR_CONTROL") if is_local() else None
    sandbox = Sandbox(control) if control else None
    app = make_app(Console(options.target_of(stack_name, region, profile), token, is_local(), sandbox))
    with socket.create_server(("127.0.0.1", port)) as listener:
        typer.echo(f"http://127.0.0.1:{listener.getsockname()[1]}/?token={token}")
        if with_parent:
            threading.Thread(target=_end_with_parent, daemon=True).start()
        web.run_app(app, sock=listener, print=lambda *_: None, access_log=None, shutdown_timeout=1)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    typer.run(main)
