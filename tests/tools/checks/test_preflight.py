"""A template that AWS would refuse at deployment is found before, in each partition and with each switch."""

from pathlib import Path

from tools.checks import preflight

ROOT = Path(__file__).parents[3]
TEMPLATE, WORKFLOW = "template.yaml", "statemachine/service_ended.asl.yaml"
BROKEN = {
    # What the schemas say.
    ("ServiceEndedDeadLetters", "default"): (
        TEMPLATE,
        "MessageRetentionPeriod: 1209600",
        "MessageRetentionPeriod: 9999999",
    ),
    # Rules that only AWS documents, from cdk-preflight, on a resource and in the workflow.
    ("pf-cloudwatch-alarm-period", "default"): (TEMPLATE, "Period: 60,", "Period: 45,"),
    ("pf-sfn-asl-missing-state", "default"): (WORKFLOW, "Next: OrderCancelled", "Next: OrderCanceled"),
    # What is there only with everything on.
    ("pf-apigwv2-integration-timeout-range", "everything on"): (
        TEMPLATE,
        "TimeoutInMillis: 5000",
        "TimeoutInMillis: 50000",
    ),
}


def test_preflight_has_nothing_to_say_of_this_template():
    assert preflight.check(ROOT) == []


def test_preflight_finds_what_aws_would_refuse_in_each_partition(tmp_path: Path):
    files = {name: (ROOT / name).read_text(encoding="utf-8") for name in (TEMPLATE, WORKFLOW)}
    for name, right, wrong in BROKEN.values():
        assert right in files[name]
        files[name] = files[name].replace(right, wrong)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    problems = preflight.check(tmp_path)
    for what, parameters in BROKEN:
        for partition in ("aws", "aws-cn"):
            assert [p for p in problems if what in p and p.endswith(f"({partition}, {parameters})")], what


def test_what_is_off_by_default_is_not_checked_by_default(tmp_path: Path):
    template = (ROOT / TEMPLATE).read_text(encoding="utf-8")
    (tmp_path / TEMPLATE).write_text(template.replace("TimeoutInMillis: 5000", "TimeoutInMillis: 50000"))
    assert {problem.partition("(")[2] for problem in preflight.check(tmp_path)} == {
        "aws, everything on)",
        "aws-cn, everything on)",
    }
