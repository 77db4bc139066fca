"""A server in front of the embedded AWS's Step Functions, where executions look older or ended otherwise.

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
    """How one execution is to look."""

    age: float = 0.0
    status: str | None = None

    @property
    def reason(self) -> str | None:
        """Why it cannot be redriven; None where that is not up to what it looks like."""
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
        """Let an execution look as if it had ended so long ago, or so."""
        self.pretended[arn] = Pretended(age=days * 86400, status=status)

    def answer(
        self, target: str, asked: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        self._headers = headers
        match target.rpartition(".")[2]:
            case "RedriveExecution":
                return self._redrive(asked)
            case "DescribeExecution":
                status, described = self._call("DescribeExecution", asked)
                return status, self._seen(described) if status == 200 else described
            case "ListExecutions":
                wanted = asked.pop("statusFilter", None)
                status, listed = self._call("ListExecutions", asked)
                seen = [self._seen(each) for each in listed["executions"]]
                kept = [each for each in seen if each["status"] == wanted or wanted is None]
                return status, {**listed, "executions": kept}
            case action:
                return self._call(action, asked)

    def _redrive(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        arn, token = asked["executionArn"], asked["clientToken"]
        pretended = self.pretended.get(arn, Pretended())
        if pretended.reason:
            return 400, {"__type": "ExecutionNotRedrivable", "message": pretended.reason}
        status, answer = self._call("RedriveExecution", asked)
        if status == 200 and (arn, token) not in self.redriven:
            self.redriven.append((arn, token))
            pretended.status = None
        return status, answer

    def _seen(self, found: dict[str, Any]) -> dict[str, Any]:
        pretended = self.pretended.get(found["executionArn"], Pretended())
        if pretended.status:
            found |= {"status": pretended.status, "error": None, "cause": None}
        if found.get("stopDate"):
            found["stopDate"] -= pretended.age
        if pretended.reason:
            found |= {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": pretended.reason}
        return found

    def _call(self, action: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection(self._behind.hostname or "", self._behind.port, timeout=30)
        kept = {
            name: value for name, value in self._headers.items() if name not in ("Host", "Content-Length")
        }
        kept = {name: value for name, value in kept.items() if name.lower() != "x-amz-target"}
        connection.request(
            "POST", "/", json.dumps(asked).encode(), {**kept, "X-Amz-Target": f"AWSStepFunctions.{action}"}
        )
        reply = connection.getresponse()
        found = reply.status, json.loads(reply.read() or b"{}")
        connection.close()
        return found
