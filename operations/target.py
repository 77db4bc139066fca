"""Which stack the commands work on: STACK_NAME, the region and the profile, as for every AWS tool.

ARNs are taken from what the stack and the APIs return, never put together here, so the same commands work in
`aws`, in `aws-cn` and against the local stack (`. .local/env`).
"""

import functools
import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from wechatpay import hosts

from operations.errors import CommandError, error_code

DEFAULT_STACK = "smart-retail-settlement"
_ARN_OF_A_MACHINE = re.compile(r"(?:[^:]+:){6}[^:]+")


def is_local() -> bool:
    """Whether the AWS that the environment points at is on this machine."""
    return urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname in ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Function:
    """The deployed function as it is configured now.

    Attributes:
        hosts: WeChat Pay's base URLs, main host first.
        secret_prefix: what the names of merchants' secrets start with.
        subnets: of the VPC it runs in, if it does.
    """

    arn: str
    hosts: tuple[str, ...]
    secret_prefix: str
    subnets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """A stack in an account and region.

    Args:
        stack_name: the CloudFormation stack.
        region, profile: as the AWS CLI takes them; None takes its defaults from the environment.
    """

    stack_name: str
    region: str | None = None
    profile: str | None = None

    def client(self, service: str) -> Any:
        """Return a boto3 client of `service` that slows down when throttled: it may have thousands to ask."""
        config = Config(
            retries={"total_max_attempts": 10, "mode": "adaptive"}, proxies={} if is_local() else None
        )
        create: Any = _session(self.region, self.profile).client
        return create(service, config=config)

    @functools.cached_property
    def stack(self) -> dict[str, Any]:
        """The stack as CloudFormation describes it. Raises `CommandError` when there is none."""
        try:
            stacks: list[dict[str, Any]] = self.client("cloudformation").describe_stacks(
                StackName=self.stack_name
            )["Stacks"]
        except ClientError as exc:
            if error_code(exc) == "ValidationError":
                raise CommandError(
                    f"there is no stack {self.stack_name!r} in this account and region: "
                    "deploy it (make deploy), or name it with STACK_NAME and AWS_REGION 没有这个栈"
                ) from exc
            raise
        return stacks[0]

    @property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        return {output["OutputKey"]: output["OutputValue"] for output in self.stack.get("Outputs", [])}

    @property
    def parameters(self) -> dict[str, str]:
        """The stack's parameters."""
        stack_parameters = self.stack.get("Parameters", [])
        return {each["ParameterKey"]: each.get("ParameterValue", "") for each in stack_parameters}

    @property
    def default_mchid(self) -> str:
        """The merchant of events that name none; may be empty."""
        return self.parameters.get("DefaultMchid", "")

    def __str__(self) -> str:
        _, _, _, region, account, *_ = self.whole_state_machine.split(":")
        return f"account {account}, region {region}, stack {self.stack_name}"

    @functools.cached_property
    def function(self) -> Function:
        """The function behind the stack's alias."""
        arn = self.outputs["CompleteOrderFunctionArn"]
        configured = self.client("lambda").get_function_configuration(FunctionName=arn)
        variables = configured.get("Environment", {}).get("Variables", {})
        return Function(
            arn=arn,
            hosts=parse_hosts(variables.get("WECHATPAY_HOSTS", "")),
            secret_prefix=variables.get("MERCHANT_SECRET_PREFIX", self.outputs["MerchantSecretPrefix"]),
            subnets=tuple(configured.get("VpcConfig", {}).get("SubnetIds") or ()),
        )

    @property
    def state_machine(self) -> str:
        """ARN to start executions with, as the stack gives it: of the machine or of an alias of it."""
        return self.outputs["StateMachineArn"]

    @property
    def whole_state_machine(self) -> str:
        """ARN of the machine itself: lists executions of every version and alias."""
        whole = _ARN_OF_A_MACHINE.match(self.state_machine)
        return whole[0] if whole else self.state_machine

    def mchid(self, given: str | None) -> str:
        """Return the merchant meant: the one given, else the stack's default."""
        mchid = given or self.default_mchid
        if not mchid:
            raise CommandError(
                "which merchant? MCHID=1900000001 (the stack has no DefaultMchid) 请指定商户号"
            )
        return mchid


@functools.cache
def _session(region: str | None, profile: str | None) -> boto3.session.Session:
    return boto3.session.Session(region_name=region, profile_name=profile)


def parse_hosts(text: str) -> tuple[str, ...]:
    """Read base URLs separated by commas; none of an empty text.

    Raises:
        CommandError: one is neither https nor http on loopback.
    """
    if not text:
        return ()
    try:
        return hosts.configured(text)
    except ValueError as exc:
        raise CommandError(f"{exc} 须为 https，或本机的 http") from exc
