"""The project's stack on an embedded AWS: `deploy` it with the SAM CLI as on AWS, then use it."""

import contextlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wechatpay_sandbox import Simulator

from local.aws import EmbeddedAws
from local.aws.client import connect
from operations.errors import CommandError
from tools.build import TEMPLATE
from tools.sam import ROOT, sam

STACK_NAME = "smart-retail-settlement"


class StackError(CommandError):
    """The stack could not be deployed: the message holds the end of what the SAM CLI said."""


@dataclass(frozen=True)
class Stack:
    """A deployed stack: its name, the variables that reach its AWS, and its outputs."""

    name: str
    environment: dict[str, str]
    outputs: dict[str, str]

    @classmethod
    def find(cls, environment: dict[str, str], name: str) -> "Stack":
        """Return the stack `name`, which exists on the AWS that `environment` points at."""
        stacks = connect("cloudformation", environment).describe_stacks(StackName=name)["Stacks"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}
        return cls(name, environment, outputs)

    def client(self, service: str) -> Any:
        """Return a boto3 client of `service` in the stack's account."""
        return connect(service, self.environment)

    @property
    def notification_url(self) -> str | None:
        """Return PaymentNotificationUrl as the embedded AWS answers it: AWS has a host of the API's name."""
        url = self.outputs.get("PaymentNotificationUrl")
        if url is None:
            return None
        api, _, rest = url.removeprefix("https://").partition(".")
        path = rest.partition("/")[2]
        return f"{self.environment['AWS_ENDPOINT_URL']}/_aws/execute-api/{api}/$default/{path}"

    def store_secret(self, secret: dict[str, Any]) -> str:
        """Store a merchant's secret where the stack looks for it, or replace it. Returns its name."""
        name = f"{self.outputs['MerchantSecretPrefix']}{secret['mchid']}"
        secrets = self.client("secretsmanager")
        value = json.dumps(secret)
        try:
            secrets.create_secret(Name=name, SecretString=value)
        except secrets.exceptions.ResourceExistsException:
            secrets.put_secret_value(SecretId=name, SecretString=value)
        return name

    def queue_of_published(self, name: str, *types: str) -> str:
        """Make a queue, and a rule of the same name that puts into it what the workflow publishes.

        Args:
            name: of both.
            types: detail-types to hear; every one when none is named.

        Returns:
            The queue's URL.
        """
        queues, events, bus = self.client("sqs"), self.client("events"), self.outputs["EventBusName"]
        url = str(queues.create_queue(QueueName=name)["QueueUrl"])
        attributes = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        pattern = {"source": ["smartretail.orders"], **({"detail-type": list(types)} if types else {})}
        events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
        target = {"Id": "queue", "Arn": attributes["QueueArn"]}
        events.put_targets(Rule=name, EventBusName=bus, Targets=[target])
        return url

    def start(self, event: str, label: str = "order") -> str:
        """Start an execution with `event` as it is (JSON). Returns the execution's ARN.

        Its name does not contain the order's number: `|` and `*` may be in that and not in a name.
        """
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs["StateMachineArn"], name=f"{label}-{uuid.uuid4()}", input=event
        )
        return str(started["executionArn"])


def deploy(environment: dict[str, str], parameters: dict[str, str], name: str = STACK_NAME) -> Stack:
    """Deploy what `make build` built to the AWS that `environment` points at, with `sam deploy`."""
    if not TEMPLATE.exists():
        raise StackError("nothing is built: run `make build`")
    overrides = " ".join(f"{key}={_quoted(value)}" for key, value in parameters.items())
    deployment = sam(
        *("deploy", "--stack-name", name, "--region", environment["AWS_REGION"]),
        *("--config-file", str(ROOT / "local/samconfig.toml")),
        *(("--parameter-overrides", overrides) if overrides else ()),
        environment=environment,
    )
    if deployment.returncode:
        raise StackError("sam deploy failed:\n" + "\n".join(deployment.stdout.strip().splitlines()[-20:]))
    return Stack.find(environment, name)


def deploy_for(
    simulator: Simulator, environment: dict[str, str], *, name: str = STACK_NAME, **parameters: str
) -> Stack:
    """Deploy a stack that calls this simulator, and store the secret of its merchant."""
    stack = deploy(environment, {**merchant_of(simulator), **parameters}, name)
    stack.store_secret(simulator.secret())
    return stack


@contextlib.contextmanager
def deployed(*, debit_after: float | None = 0, wait_scale: float = 0) -> Iterator[tuple[Stack, Simulator]]:
    """Deploy the built template on an embedded AWS, for a simulator, and keep both until the end.

    Args:
        debit_after: seconds until an accepted order is paid; None: never.
        wait_scale: scales the workflow's waits.
    """
    with Simulator(debit_after=debit_after) as simulator, EmbeddedAws(wait_scale=wait_scale) as aws:
        yield deploy_for(simulator, aws.environment()), simulator


def merchant_of(simulator: Simulator) -> dict[str, str]:
    """Return the template's parameters for a simulator and its merchant."""
    return {"WeChatPayHosts": ",".join(simulator.hosts), "DefaultMchid": simulator.secret()["mchid"]}


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
