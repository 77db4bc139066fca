"""AWS as the functions see it, under virtual time: Secrets Manager, the table of waiting orders, tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ReadTimeoutError

from simulation.kernel import Kernel
from simulation.stepper import Execution

if TYPE_CHECKING:
    from simulation.environments import Environment

SECRET_SECONDS = 6.0
"""A silent Secrets Manager costs two attempts of 3 s."""


class Secret:
    """The merchant's secret, its versions, and Secrets Manager as an operator's commands call it.

    Attributes:
        trouble: "", or how a function's reading it fails: "silent", "throttled", "denied", "broken".
    """

    def __init__(self, kernel: Kernel) -> None:
        self.trouble = ""
        self._kernel = kernel
        self._texts: dict[str, str] = {}
        self._labels: dict[str, str] = {}

    @property
    def text(self) -> str:
        """Its current version."""
        return self._texts[self._labels["AWSCURRENT"]]

    def store(self, secret: dict[str, Any]) -> None:
        """Write it by hand, proven or not."""
        self.put_secret_value(SecretString=json.dumps(secret), ClientRequestToken="by hand")

    def client(self, environment: Environment) -> Any:
        """Return Secrets Manager's client of one function."""
        return _SecretsManager(self, environment, self._kernel)

    def describe_secret(self, **_asked: Any) -> dict[str, Any]:
        stages: dict[str, list[str]] = {version: [] for version in self._texts}
        for label, version in self._labels.items():
            stages[version].append(label)
        return {"VersionIdsToStages": stages}

    def get_secret_value(self, *, VersionId: str = "", **_asked: Any) -> dict[str, Any]:  # noqa: N803 - the SDK's
        self._kernel.sleep(0.005)
        return {"SecretString": self._texts[VersionId or self._labels["AWSCURRENT"]]}

    def put_secret_value(
        self,
        *,
        SecretString: str,  # noqa: N803
        ClientRequestToken: str,  # noqa: N803
        VersionStages: tuple[str, ...] | list[str] = ("AWSCURRENT",),  # noqa: N803
        **_asked: Any,
    ) -> None:
        self._texts[ClientRequestToken] = SecretString
        self._labels |= dict.fromkeys(VersionStages, ClientRequestToken)

    def update_secret_version_stage(
        self,
        *,
        VersionStage: str,  # noqa: N803
        MoveToVersionId: str = "",  # noqa: N803
        RemoveFromVersionId: str = "",  # noqa: N803
        **_asked: Any,
    ) -> None:
        if self._labels.get(VersionStage) != RemoveFromVersionId:
            raise error("InvalidParameterException", "the label is not on that version")
        del self._labels[VersionStage]
        if MoveToVersionId:
            self._labels[VersionStage] = MoveToVersionId


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
                raise error("ThrottlingException", "Rate exceeded")
            case "denied":
                raise error("AccessDeniedException", "not authorized to perform: GetSecretValue")
            case "broken":
                return {"SecretString": self._secret.text[: len(self._secret.text) // 2]}
        return {"SecretString": self._secret.text}


class Waiting:
    """The table of waiting orders, and the tokens in it: a client of DynamoDB and of Step Functions."""

    def __init__(self, kernel: Kernel, execution: Callable[[str], Execution | None]) -> None:
        self.down = False
        self.items: dict[str, Any] = {}
        self._kernel = kernel
        self._execution = execution

    def get_item(self, *, Key: dict[str, Any], **_asked: Any) -> dict[str, Any]:  # noqa: N803 - the SDK's
        self._kernel.sleep(0.004)
        if self.down:
            raise error("InternalServerError", "")
        item = self.items.get(Key["order"]["S"])
        return {} if item is None else {"Item": item}

    def send_task_success(self, *, taskToken: str, output: str) -> dict[str, Any]:  # noqa: N803
        self._kernel.sleep(0.004)
        execution = self._execution(taskToken.partition("#")[0])
        token = execution.token if execution is not None else None
        if token is None or token.name != taskToken or token.signal.is_set:
            raise error("TaskTimedOut", "Task Timed Out")
        token.signal.set(json.loads(output))
        return {}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        self._kernel.sleep(0.004)
        execution = self._execution(executionArn)
        if execution is None:
            raise error("ExecutionDoesNotExist", "")
        return {"status": execution.status}


def error(code: str, message: str) -> ClientError:
    """Return an error of an AWS service."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "operation")
