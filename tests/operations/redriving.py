"""RedriveExecution, which the embedded AWS lacks, as a server in front of its Step Functions.

Everything is passed on. What differs: executions can be made older, or to have timed out; RedriveExecution
checks what AWS checks and starts the input again; the old ARN then shows what the new execution does.
"""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.loopback_aws import LoopbackAws

REDRIVABLE_SECONDS = 14 * 86400.0


@dataclass
class Pretended:
    """How one execution is to look."""

    age: float = 0.0
    status: str | None = None
    continued: str | None = None
    redrives: int = 0


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
                return self._redrive(asked["executionArn"], asked["clientToken"])
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

    def _redrive(self, arn: str, token: str) -> tuple[int, dict[str, Any]]:
        if (arn, token) in self.redriven:
            return 200, {"redriveDate": 0}
        status, described = self._call("DescribeExecution", {"executionArn": arn})
        if status != 200:
            return status, described
        seen = self._seen(described)
        if seen["redriveStatus"] != "REDRIVABLE":
            return 400, {"__type": "ExecutionNotRedrivable", "message": seen["redriveStatusReason"]}
        self.redriven.append((arn, token))
        pretended = self.pretended.setdefault(arn, Pretended())
        pretended.redrives += 1
        again = {
            "stateMachineArn": described["stateMachineArn"],
            "name": f"{described['name'][:60]}-{pretended.redrives}-redriven",
            "input": described["input"],
        }
        pretended.continued = self._call("StartExecution", again)[1]["executionArn"]
        pretended.status = None
        return 200, {"redriveDate": 0}

    def _seen(self, found: dict[str, Any]) -> dict[str, Any]:
        pretended = self.pretended.get(found["executionArn"], Pretended())
        if pretended.continued:
            now = self._call("DescribeExecution", {"executionArn": pretended.continued})[1]
            found = {**found, **{name: now.get(name) for name in ("status", "stopDate", "error", "cause")}}
        found["status"] = pretended.status or found["status"]
        if pretended.status:
            found = {**found, "error": None, "cause": None}
        if found.get("stopDate"):
            found["stopDate"] -= pretended.age
        old = pretended.age >= REDRIVABLE_SECONDS
        ended = found["status"] in ("FAILED", "TIMED_OUT", "ABORTED")
        reason = "Execution redrivable period exceeded" if old else f"Execution is {found['status']}"
        able = ended and not old
        redrive = {
            "redriveStatus": "REDRIVABLE" if able else "NOT_REDRIVABLE",
            "redriveCount": pretended.redrives,
        }
        return {**found, **redrive, **({} if able else {"redriveStatusReason": reason})}

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
