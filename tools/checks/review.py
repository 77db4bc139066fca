"""What a security reviewer's tools say of the translated template: checkov, and AWS Control Tower's rules.

Both run on the template of both partitions with everything optional switched on. A finding that is not
followed stands in ACCEPTED with its reason; one that is accepted and no longer found is a problem too.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools import node
from tools.rendering import everything
from tools.sam import ROOT
from tools.template import REGIONS, source, translate

_LOGS_KEY = (
    "CloudWatch Logs encrypts with its own key; the lines hold no personal data and no secret "
    "(docs/security.md), and a key of ours would add a way to lose them"
)
_VPC = "talks to the internet and AWS APIs only; a VPC adds a NAT gateway that can fail, and protects nothing"
_TRACING = "mainland China has no X-Ray for Lambda; logs carry execution, order and WeChat's Request-ID"

# Rule: (type of the resources that break it, why it is not followed).
ACCEPTED: dict[str, tuple[str, str]] = {
    # checkov
    "CKV_AWS_158": ("AWS::Logs::LogGroup", _LOGS_KEY),
    "CKV_AWS_27": (
        "AWS::SQS::Queue",
        "SqsManagedSseEnabled encrypts it; the rule only knows KMS, whose key policy EventBridge would need",
    ),
    "CKV_AWS_116": (
        "AWS::Lambda::Function",
        "is invoked synchronously, and a dead-letter queue is for asynchronous invocations; Step Functions "
        "keeps what failed",
    ),
    "CKV_AWS_173": (
        "AWS::Lambda::Function",
        "Lambda encrypts them with its own key, and none is a secret: a prefix, a merchant's number, hosts",
    ),
    "CKV_AWS_115": (
        "AWS::Lambda::Function",
        "what may wait needs no limit of its own; it would take from what CompleteOrder can have",
    ),
    # AWS Control Tower
    "api_gw_v2_authorization_type_configured_check": (
        "AWS::ApiGatewayV2::Route",
        "WeChat Pay knows no AWS credentials; the function believes a notification by its signature alone",
    ),
    "dynamodb_table_pitr_enabled_check": (
        "AWS::DynamoDB::Table",
        "its rows expire in days and only shorten a wait: an order whose row is lost is asked about anyway",
    ),
    "lambda_function_public_access_prohibited_check": (
        "AWS::Lambda::Permission",
        "SourceArn names this account's API and its one route; the rule wants a SourceAccount beside it",
    ),
    "cloudwatch_alarm_action_check": (
        "AWS::CloudWatch::Alarm",
        "NoSuccess speaks when it has no data any more, and the rule only knows the other kind of action",
    ),
    "cloudwatch_log_group_encrypted_check": ("AWS::Logs::LogGroup", _LOGS_KEY),
    "cloudwatch_log_group_retention_period_check": (
        "AWS::Logs::LogGroup",
        "LogRetentionDays is the user's choice, 180 days by default; the rule reads no parameter",
    ),
    "kms_create_grant_aws_service_check": (
        "AWS::KMS::Key",
        "the account's statement is AWS's default, so that the key stays manageable; IAM decides who has it",
    ),
    "lambda_inside_vpc_check": ("AWS::Lambda::Function", _VPC),
    "sqs_dlq_check": ("AWS::SQS::Queue", "is itself the dead-letter queue"),
    "step_functions_state_machine_tracing_enabled_check": ("AWS::StepFunctions::StateMachine", _TRACING),
}

GUARD_PACKAGE = "@cdklabs/cdk-validator-cfnguard"
# Of Control Tower's rules, those about the services that this stack uses or may use.
GUARD_RULES = (
    "apigateway",
    "cloudwatch",
    "dynamodb",
    "identityandaccessmanagement",
    "keymanagementservice",
    "lambda",
    "s3",
    "sqs",
    "stepfunctions",
)

Finding = tuple[str, str]  # rule, logical id


def check(root: Path) -> list[str]:
    """Each finding that is not accepted, and each acceptance that nothing needs."""
    declared = source(root).get("Parameters", {})
    with tempfile.TemporaryDirectory() as directory:
        templates = [Path(directory, f"{partition}.json") for partition in REGIONS]
        kinds: dict[str, str] = {}
        for partition, path in zip(REGIONS, templates, strict=True):
            parameters = everything(partition)
            known = {name: value for name, value in parameters.items() if name in declared}
            translated = translate(partition, known, root=root)
            path.write_text(json.dumps(translated, indent=1), encoding="utf-8")
            kinds |= {name: resource["Type"] for name, resource in translated["Resources"].items()}
        findings = {*_checkov(templates), *_guard(templates)}
    accepted = {(rule, name) for rule, name in findings if ACCEPTED.get(rule, ("", ""))[0] == kinds[name]}
    unused = sorted(ACCEPTED.keys() - {rule for rule, _ in accepted}) if root == ROOT else []
    return [
        *(
            f"{name}: {rule}; follow it, or say in {__name__} why not"
            for rule, name in sorted(findings - accepted)
        ),
        *(f"{rule} is accepted, and nothing breaks it any more" for rule in unused),
    ]


def _checkov(templates: list[Path]) -> Iterator[Finding]:
    files = [argument for path in templates for argument in ("--file", path)]
    options = ["--framework", "cloudformation", "--output", "json", "--compact", "--quiet", "--skip-download"]
    done = subprocess.run(
        [_checkov_environment() / "bin/checkov", *files, *options],
        text=True,
        capture_output=True,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
    )
    report = _report("checkov", done)
    if "results" not in report or report["summary"]["parsing_errors"]:
        raise RuntimeError(f"checkov could not read the template: {done.stdout[:1000]}")
    for each in report["results"]["failed_checks"]:
        yield each["check_id"], each["resource"].rpartition(".")[2]


def _checkov_environment() -> Path:
    """The environment of checkov's own lock, made or brought up to date. It must not be mixed with ours."""
    environment, project = ROOT / ".local/checkov", ROOT / "tools/checks/checkov"
    uv = shutil.which("uv") or str(ROOT / ".local/uv/bin/uv")
    inherited = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    synced = subprocess.run(
        [uv, "sync", "--locked", "--quiet", "--project", project, "--python", sys.executable],
        env={**inherited, "UV_PROJECT_ENVIRONMENT": str(environment)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if synced.returncode:
        raise RuntimeError(f"checkov cannot be installed: {synced.stdout}")
    return environment


def _guard(templates: list[Path]) -> Iterator[Finding]:
    node.install()
    package = node.MODULES / GUARD_PACKAGE
    system = "macos" if sys.platform == "darwin" else "ubuntu"
    machine = "aarch64" if os.uname().machine in {"aarch64", "arm64"} else "x86_64"
    rules = [package / "rules/control-tower/cfn-guard" / service for service in GUARD_RULES]
    command: list[str | Path] = [package / "bin" / system / machine / "cfn-guard", "validate", "--structured"]
    command += ["--output-format", "json", "--show-summary", "none", "--data", *templates, "--rules", *rules]
    done = subprocess.run(command, text=True, capture_output=True)
    reports = _report("cfn-guard", done)
    if len(reports) != len(templates):
        raise RuntimeError(f"cfn-guard read {len(reports)} templates: {done.stderr[-1000:]}")
    for report in reports:
        for failed in report["not_compliant"]:
            for name in set(_resources(failed["Rule"]["checks"])):
                yield failed["Rule"]["name"], name


def _report(tool: str, done: subprocess.CompletedProcess[str]) -> Any:
    try:
        return json.loads(done.stdout)
    except ValueError as exc:
        raise RuntimeError(f"{tool} gave no report: {done.stdout[:500]}{done.stderr[-1000:]}") from exc


def _resources(checks: Any) -> Iterator[str]:
    """Logical ids in the paths of a report: /Resources/NAME/..."""
    if isinstance(checks, dict):
        for key, value in checks.items():
            if key == "path" and isinstance(value, str) and value.startswith("/Resources/"):
                yield value.split("/")[2].partition("[")[0]
            yield from _resources(value)
    elif isinstance(checks, list):
        for value in checks:
            yield from _resources(value)
