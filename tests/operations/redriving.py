"""A server in front of the embedded AWS's Step Functions, where executions appear older or ended otherwise.

Everything is passed on, RedriveExecution too, unless what an execution looks like forbids it.
"""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from local.aws.patches.redrives import REDRIVABLE_SECONDS
from tests.loopback_aws import LoopbackAws


@dataclass
class Pretended:
    """How one execution is to appear."""

    age: float = 0.0
    status: str | None = None

    @property
    def reason(self) -> str | None:
        """Why it cannot be redriven; None where its real state decides."""
        if self.age >= REDRIVABLE_SECONDS:
            return "Execution redrivable period exceeded"
        if self.status in ("RUNNING", "SUCCEEDED"):
            return f"Execution is {self.status} and cannot be redriven"
        return None


class Redriving(LoopbackAws):
    """`with Redriving(endpoint) as redriving:` gives the endpoint of Step Functions as `url`."""

    def __init__(self, endpoint: str) -> None:
        self._behind = urlsplit(endpoint)
        self.pretended: dict[str, Pretended] = {}
        self.redriven: list[tuple[str, str]] = []
        super().__init__()

    def pretend(self, arn: str, *, days: float = 0.0, status: str | None = None) -> None:
        """Let an execution appear to have ended so many days ago, or in this state."""
        self.pretended[arn] = Pretended(age=days * 86400, status=status)

    def answer(
        self, target: str, request: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        self._headers = headers
        match target.rpartition(".")[2]:
            case "RedriveExecution":
                return self._redrive(request)
            case "DescribeExecution":
                status, described = self._call("DescribeExecution", request)
                return status, self._pretended(described) if status == 200 else described
            case "ListExecutions":
                wanted = request.pop("statusFilter", None)
                status, listed = self._call("ListExecutions", request)
                seen = [self._pretended(each) for each in listed["executions"]]
                matching = [each for each in seen if each["status"] == wanted or wanted is None]
                return status, {**listed, "executions": matching}
            case action:
                return self._call(action, request)

    def _redrive(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        arn, token = request["executionArn"], request["clientToken"]
        pretended = self.pretended.get(arn, Pretended())
        if pretended.reason:
            return 400, {"__type": "ExecutionNotRedrivable", "message": pretended.reason}
        status, answer = self._call("RedriveExecution", request)
        if status == 200 and (arn, token) not in self.redriven:
            self.redriven.append((arn, token))
            pretended.status = None
        return status, answer

    def _pretended(self, execution: dict[str, Any]) -> dict[str, Any]:
        pretended = self.pretended.get(execution["executionArn"], Pretended())
        if pretended.status:
            execution |= {"status": pretended.status, "error": None, "cause": None}
        if execution.get("stopDate"):
            execution["stopDate"] -= pretended.age
        if pretended.reason:
            execution |= {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": pretended.reason}
        return execution

    def _call(self, action: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection(self._behind.hostname or "", self._behind.port, timeout=30)
        headers = {
            name: value for name, value in self._headers.items() if name not in ("Host", "Content-Length")
        }
        headers = {name: value for name, value in headers.items() if name.lower() != "x-amz-target"}
        connection.request(
            "POST",
            "/",
            json.dumps(request).encode(),
            {**headers, "X-Amz-Target": f"AWSStepFunctions.{action}"},
        )
        reply = connection.getresponse()
        answer = reply.status, json.loads(reply.read() or b"{}")
        connection.close()
        return answer
