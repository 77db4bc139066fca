"""`make merchant`: the simulated merchant's files, as WeChat Pay hands them out, for `make secret`."""

import sys
from pathlib import Path
from typing import Any

from wechatpay_sandbox import state
from wechatpay_sandbox.client import Client

from local import foreground, running, sandbox
from operations.errors import CommandError

DIRECTORY = running.STATE / "merchant"


def main() -> int:
    """Write the files of the running stack's simulator into a directory of the user's choice."""
    directory = Path(sys.argv[1]) if sys.argv[1:] and sys.argv[1] else DIRECTORY
    try:
        with sandbox.control(running.read_environment()) as client:
            secret = write(client, directory)
    except OSError as exc:
        raise CommandError(str(exc)) from exc
    key_id = secret.get("wechatpay_public_key_id")
    print(
        f"""{directory} holds what a merchant gets from WeChat Pay. Store it:
  . .local/env
  make secret FILES={directory} {f"PUBLIC_KEY_ID={key_id} " if key_id else ""}\\
    APPID={secret["appid"]} SERVICE_ID={secret["service_id"]} < {directory}/api_v3_key.txt"""
    )
    return 0


def write(client: Client, directory: Path) -> dict[str, Any]:
    """Write the files, readable by this user alone. Returns the secret they make up."""
    secret = client.secret()
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, text in state.merchant_files(secret, client.merchant_certificate()).items():
        state.write(directory / name, text)
    return secret


if __name__ == "__main__":
    foreground.run(main)
