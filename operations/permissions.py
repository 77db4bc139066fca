"""What the roles of the stack may do, asked of IAM itself."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from operations.findings import Finding, failed, note, passed
from operations.target import Target, error_code

SUBJECT = "IAM"


def check(target: Target, secret: dict[str, Any]) -> Iterator[Finding]:
    """Ask whether the function may read the secret, and the workflow may invoke and publish.

    Args:
        target: the stack.
        secret: the merchant's secret as described.
    """
    iam = target.client("iam")
    role = target.function.role
    yield _allowed(iam, role, "the function", "secretsmanager:GetSecretValue", secret["ARN"])
    key = secret.get("KmsKeyId") or ""
    if key and not key.endswith("alias/aws/secretsmanager"):
        yield _key(target, iam, role, key)
    machine = target.client("stepfunctions").describe_state_machine(
        stateMachineArn=target.whole_state_machine
    )
    bus = target.client("events").describe_event_bus(Name=target.outputs["EventBusName"])
    yield _allowed(iam, machine["roleArn"], "the workflow", "lambda:InvokeFunction", target.function.arn)
    yield _allowed(iam, machine["roleArn"], "the workflow", "events:PutEvents", bus["Arn"])


def _key(target: Target, iam: Any, role: str, key: str) -> Finding:
    try:
        arn = target.client("kms").describe_key(KeyId=key)["KeyMetadata"]["Arn"]
    except ClientError as exc:
        return note(SUBJECT, f"kms:Decrypt of {key} was not checked ({error_code(exc)})")
    return _allowed(iam, role, "the function", "kms:Decrypt", arn)


def _allowed(iam: Any, role: str, who: str, action: str, resource: str) -> Finding:
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
        f"{who} may not {action} on {resource} ({decision}). Allow it in {role}, or look for a boundary "
        "or organisation policy that denies it",
    )
