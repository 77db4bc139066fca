"""AWS as the functions see it, under virtual time: Secrets Manager, the table of waiting orders, tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from simulation.environments import Environment
from simulation.kernel import Kernel
from simulation.stepper import Execution

SECRET_SECONDS = 6.0
"""A silent Secrets Manager costs two attempts of 3 s."""


class Secret:
    """The merchant's secret.

    Attributes:
        text: its current version.
        trouble: "", or how reading it fails: "silent", "throttled", "denied", "broken".
    """

    def __init__(self, kernel: Kernel) -> None:
        self.text = ""
        self.trouble = ""
        self._kernel = kernel

    def store(self, secret: dict[str, Any]) -> None:
        """Store a version."""
        self.text = json.dumps(secret)

    def client(self, environment: Environment) -> Any:
        """Return Secrets Manager's client of one function."""
        return _SecretsManager(self, environment, self._kernel)


class _SecretsManager:
    def __init__(self, secret: Secret, environment: Environment, kernel: Kernel) -> None:
        self._secret = secret
        self._environment = environment
        self._kernel = kernel

    def get_secret_value(self, **_asked: str) -> dict[str, Any]:
        self._environment.reach("before the secret")
        self._kernel.sleep(0.005)
        match self._secret.trouble:
            case "silent":
                self._kernel.sleep(SECRET_SECONDS)
                raise ReadTimeoutError(endpoint_url="https://secretsmanager")
            case "throttled":
                raise _error("ThrottlingException", "Rate exceeded")
            case "denied":
                raise _error("AccessDeniedException", "not authorized to perform: GetSecretValue")
            case "broken":
                return {"SecretString": self._secret.text[: len(self._secret.text) // 2]}
        return {"SecretString": self._secret.text}


class Waiting:
    """The table of waiting orders, and the tokens in it."""

    def __init__(self, kernel: Kernel, execution: Callable[[str], Execution | None]) -> None:
        self.down = False
        self.items: dict[str, Any] = {}
        self._kernel = kernel
        self._execution = execution

    def client(self, _environment: Environment) -> Any:
        """Return a client of DynamoDB and Step Functions."""
        return self

    def get_item(self, *, Key: dict[str, Any], **_asked: Any) -> dict[str, Any]:  # noqa: N803 - the SDK's
        self._kernel.sleep(0.004)
        if self.down:
            raise _error("InternalServerError", "")
        item = self.items.get(Key["order"]["S"])
        return {} if item is None else {"Item": item}

    def send_task_success(self, *, taskToken: str, output: str) -> dict[str, Any]:  # noqa: N803
        self._kernel.sleep(0.004)
        execution = self._execution(taskToken.partition("#")[0])
        token = execution.token if execution is not None else None
        if token is None or token.name != taskToken or token.signal.is_set:
            raise _error("TaskTimedOut", "Task Timed Out")
        token.signal.set(json.loads(output))
        return {}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        self._kernel.sleep(0.004)
        execution = self._execution(executionArn)
        if execution is None:
            raise _error("ExecutionDoesNotExist", "")
        return {"status": execution.status}


def _error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "operation")
