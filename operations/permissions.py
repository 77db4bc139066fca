"""What the roles of the stack may do, asked of IAM itself."""

import re
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from operations.errors import error_code
from operations.report import Finding, failed, note, passed
from operations.target import Target

SUBJECT = "IAM"
_FUNCTION = re.compile(r'arn:[^"\s]+:lambda:[^"\s]+:function:[^"\s]+')


def check(target: Target, secret: dict[str, Any]) -> Iterator[Finding]:
    """Ask whether the workflow may invoke and publish, and the functions it invokes may read the secret.

    Args:
        secret: the merchant's secret as described.
    """
    iam, functions = target.client("iam"), target.client("lambda")
    machine = target.client("stepfunctions").describe_state_machine(
        stateMachineArn=target.whole_state_machine
    )
    key = _key_of(target, secret)
    for arn in sorted(set(_FUNCTION.findall(machine["definition"]))):
        role = functions.get_function_configuration(FunctionName=arn)["Role"]
        name = arn.partition(":function:")[2]
        yield _allowed(iam, machine["roleArn"], "the workflow", "lambda:InvokeFunction", arn)
        yield _allowed(iam, role, name, "secretsmanager:GetSecretValue", secret["ARN"])
        if isinstance(key, str):
            yield _allowed(iam, role, name, "kms:Decrypt", key, "Set SecretKmsKeyArn to this key. ")
    if isinstance(key, Finding):
        yield key
    bus = target.client("events").describe_event_bus(Name=target.outputs["EventBusName"])
    yield _allowed(iam, machine["roleArn"], "the workflow", "events:PutEvents", bus["Arn"])


def _key_of(target: Target, secret: dict[str, Any]) -> str | Finding | None:
    """Return the ARN of the customer's key that encrypts the secret; None when it is AWS's own."""
    key = secret.get("KmsKeyId") or ""
    if not key or key.endswith("alias/aws/secretsmanager"):
        return None
    try:
        return str(target.client("kms").describe_key(KeyId=key)["KeyMetadata"]["Arn"])
    except ClientError as exc:
        return note(SUBJECT, f"kms:Decrypt of {key} was not checked ({error_code(exc)})")


def _allowed(iam: Any, role: str, who: str, action: str, resource: str, first: str = "") -> Finding:
    try:
        answer = iam.simulate_principal_policy(
            PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource]
        )
    except ClientError as exc:
        return note(
            SUBJECT, f"{action} of {who} was not checked: you may not simulate it ({error_code(exc)})"
        )
    decision = answer["EvaluationResults"][0]["EvalDecision"]
    if decision == "allowed":
        return passed(SUBJECT, f"{who} may {action}")
    return failed(
        SUBJECT,
        f"{who} may not {action} on {resource} ({decision}). {first}Allow it in {role}, or look for a "
        "boundary or organisation policy that denies it",
    )
