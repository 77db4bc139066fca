"""AWS Secrets Manager on loopback, as far as GetSecretValue goes: boto3 really calls it over a socket."""

import json
from typing import Any

from tests.loopback_aws import LoopbackAws


class SecretsManager(LoopbackAws):
    """Answers GetSecretValue. `with SecretsManager() as secrets_manager:`"""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._failure: tuple[int, str] | None = None
        self.reads: list[str] = []
        self.ever_stored: list[str] = []
        super().__init__()

    def put(self, name: str, value: str | dict[str, Any]) -> None:
        """Store the current version of a secret."""
        text = value if isinstance(value, str) else json.dumps(value)
        self._values[name] = text
        if text not in self.ever_stored:
            self.ever_stored.append(text)

    def delete(self, name: str) -> None:
        del self._values[name]

    def fail(self, code: str | None, status: int = 400) -> None:
        """Answer every call with this error; None ends it."""
        self._failure = (status, code) if code else None

    def answer(
        self, target: str, request: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        assert target == "secretsmanager.GetSecretValue"
        name = request["SecretId"]
        self.reads.append(name)
        if self._failure is not None:
            status, code = self._failure
            return status, {"__type": code, "Message": "told to fail"}
        if name not in self._values:
            return 400, {"__type": "ResourceNotFoundException", "Message": "no such secret"}
        return 200, {"Name": name, "SecretString": self._values[name], "VersionStages": ["AWSCURRENT"]}
