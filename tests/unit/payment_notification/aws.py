"""DynamoDB and Step Functions on loopback, as far as this function calls them, over real sockets."""

from typing import Any

from tests.function import EXECUTION
from tests.loopback_aws import LoopbackAws


class Aws(LoopbackAws):
    """Holds waiting orders and their tokens. `with Aws() as aws:`"""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.waiting: set[str] = set()
        self.running: set[str] = set()
        self.woken: list[str] = []
        self.calls: list[str] = []
        self.failing: dict[str, str] = {}
        super().__init__()

    def wait_for(self, snapshot: dict[str, Any], token: str, **changes: Any) -> None:
        """Do what the state AwaitNotification does for an order."""
        item = {
            "appid": {"S": "wxd678efh567hg6787"},
            "service_id": {"S": "500001"},
            "total_amount": {"N": str(snapshot["total_amount"])},
            "execution": {"S": f"{EXECUTION}-{snapshot['out_order_no']}"},
            "token": {"S": token},
            **changes,
        }
        self.items[f"1900000001/{snapshot['out_order_no']}"] = item
        self.waiting.add(token)
        self.running.add(item["execution"]["S"])

    def answer(
        self, target: str, request: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        operation = target.rpartition(".")[2]
        self.calls.append(operation)
        if operation in self.failing:
            return 400, {"__type": self.failing[operation], "message": "told to fail"}
        if operation == "GetItem":
            item = self.items.get(request["Key"]["order"]["S"])
            return 200, {"Item": item} if item else {}
        if operation == "SendTaskSuccess":
            if request["taskToken"] not in self.waiting:
                return 400, {"__type": "TaskTimedOut", "message": "no longer"}
            self.waiting.remove(request["taskToken"])
            self.woken.append(request["taskToken"])
            return 200, {}
        runs = request["executionArn"] in self.running
        described = {
            "executionArn": request["executionArn"],
            "stateMachineArn": "arn:aws:s:x",
        }
        return 200, {**described, "status": "RUNNING" if runs else "SUCCEEDED", "startDate": 0}
