"""`make up`, `make settle` and `make down`, as a user runs them."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from urllib.parse import quote

import pytest

from local import sandbox, settle
from local.aws.client import connect
from local.aws.embedded import ROOT
from operations.errors import CommandError
from tests.workflow.ways import PAID


class Commands:
    """Runs the commands with a state directory of their own: a developer's own stack stays as it is."""

    def __init__(self, state):
        self.state = state

    def __call__(self, command, *arguments, **variables):
        return subprocess.run(
            [sys.executable, "-m", f"local.{command}", *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "LOCAL_STATE": str(self.state), "AWS_PORT": "0", **variables},
            capture_output=True,
            text=True,
        )

    def environment(self):
        lines = (self.state / "env").read_text(encoding="utf-8").splitlines()
        exported = [
            line.removeprefix("export ") for line in lines if line.startswith("export ") and "=" in line
        ]
        return dict(shlex.split(each)[0].split("=", 1) for each in exported)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    commands = Commands(tmp_path_factory.mktemp("local"))
    started = commands("up")
    assert started.returncode == 0, started.stdout + started.stderr
    yield commands
    commands("down")


@pytest.fixture
def stopped(tmp_path):
    commands = Commands(tmp_path)
    yield commands
    commands("down")


@pytest.fixture
def event(tmp_path):
    def write(**fields):
        order = {
            "out_order_no": f"C|{uuid.uuid4().hex[:20]}*",
            "finish_type": 2,
            "fees": [{"fee_name": "矿泉水", "fee_amount": 300}],
            "total_amount": 300,
            **fields,
        }
        path = tmp_path / "event.json"
        path.write_text(json.dumps(order, ensure_ascii=False), encoding="utf-8")
        return path

    return write


def test_the_environment_of_a_running_stack_reaches_it(running):
    environment = running.environment()

    stacks = connect("cloudformation", environment).describe_stacks(StackName=environment["STACK_NAME"])
    assert stacks["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    assert environment["SIMULATOR_CONTROL"].endswith("/simulator")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        environment["CONSOLE_URL"]
    ) as page:
        assert page.status == 200


def test_settling_an_order_prints_its_path_and_its_result(running, event):
    settled = running("settle", event())

    assert settled.returncode == 0, settled.stderr
    printed = settled.stdout.partition("\nSUCCEEDED")[0].splitlines()
    steps = [line.split() for line in printed if line.startswith("  ")]
    assert [state for _, _, state in steps] == PAID
    assert {unit for _, unit, _ in steps} == {"s"}
    result = json.loads(settled.stdout[settled.stdout.index("\n{") :])
    assert (result["outcome"], result["total_amount"]) == ("COMPLETED", 300)
    assert result["payment"]["state"] == "PAID"


def test_settling_the_same_order_twice_succeeds_twice(running, event):
    path = event()

    assert [running("settle", path).returncode for _ in range(2)] == [0, 0]


def test_an_order_that_fails_says_why(running, event):
    settled = running("settle", event(total_amount=301))

    assert settled.returncode == 1
    assert "error: INVALID_INPUT" in settled.stdout
    assert "total_amount" in settled.stdout


@pytest.mark.parametrize(
    ("content", "problem"), [(None, "No such file"), (b"{", "not JSON"), (b"\xff\xfe", "not JSON in UTF-8")]
)
def test_a_file_that_is_no_event_is_refused(running, tmp_path, content, problem):
    path = tmp_path / "x.json"
    if content is not None:
        path.write_bytes(content)

    settled = running("settle", path)

    assert settled.returncode == 1
    assert problem in settled.stderr


def control(running, method, path, body=None):
    with sandbox.control(running.environment()) as client:
        return client.call(method, path, body)


def test_a_simulator_that_is_gone_says_how_to_start_it_again():
    with pytest.raises(CommandError, match="make down, then make up"):
        sandbox.open_order({"SIMULATOR_CONTROL": "http://127.0.0.1:9/simulator"}, {"out_order_no": "G-1"})


def test_a_fault_of_choice_happens_to_the_order_once(running, event):
    path = event()
    number = json.loads(path.read_text(encoding="utf-8"))["out_order_no"]

    settled = running("settle", path, "reset_after")

    assert settled.returncode == 0, settled.stderr
    assert f"The next completion of {number} meets reset_after: reset after" in settled.stdout
    assert '"evidence": "QUERY"' in settled.stdout
    assert control(running, "GET", "/faults") == []


def test_a_fault_is_planned_for_the_next_completion_of_an_order(running, event):
    planned = running("sandbox", "F|1*", "silence_applied")

    assert planned.returncode == 0, planned.stderr
    assert planned.stdout.startswith("The next completion of F|1* meets silence_applied: ")
    (fault,) = control(running, "GET", "/faults")
    assert (fault["out_order_no"], fault["times"]) == ("F|1*", 1)
    control(running, "DELETE", "/faults")


@pytest.mark.parametrize("command", [("sandbox", "F-1"), ("settle", "events/completed.json")])
def test_a_mistyped_fault_lists_those_there_are_before_anything_is_done(stopped, command):
    refused = stopped(*command, "silence_aplied")

    assert refused.returncode == 1
    assert "there is no fault 'silence_aplied'" in refused.stderr
    assert "\n  silence_applied " in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("order", ["", "F-1"])
def test_without_a_fault_the_faults_are_listed(stopped, order):
    listed = stopped("sandbox", order, "")

    assert listed.returncode == 0, listed.stderr
    assert "\n  silence_applied " in listed.stdout
    assert ("nothing was set for F-1" in listed.stdout) is bool(order)


def test_an_order_that_is_never_paid_is_followed_for_a_bounded_time(running, event, monkeypatch, capsys):
    path = event()
    order = json.loads(path.read_text(encoding="utf-8"))
    control(running, "PUT", f"/orders/{quote(order['out_order_no'], safe='')}", {"debit_after": None})
    monkeypatch.setattr(settle, "PATIENCE_SECONDS", 3.0)

    status = settle._settle(path.read_text(encoding="utf-8"), order, "", running.environment())

    assert status == 0
    printed = capsys.readouterr().out
    assert re.search(r"\n  +\d+\.\d s  AwaitPayment\n", printed)
    assert re.search(r"\naccepted, and not paid yet 已受理，尚未支付 after \d+\.\d s: ", printed)


def test_a_missing_secret_is_reported_without_a_stack_trace(running, event):
    settled = running("settle", event(mchid="1900000007"))

    assert settled.returncode == 1
    assert "error: MerchantMisconfigured" in settled.stdout
    assert "1900000007" in settled.stdout.partition("cause:")[2]
    assert "stackTrace" not in settled.stdout
    assert "\\u" not in settled.stdout


def test_make_settle_ends_with_the_status_that_the_reference_names(running, event):
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    for total_amount, status in ((300, 0), (301, 2)):
        settled = subprocess.run(
            ["make", "-s", "settle", f"EVENT={event(total_amount=total_amount)}"],
            cwd=ROOT,
            env={**environment, "LOCAL_STATE": str(running.state)},
            capture_output=True,
            text=True,
        )
        assert settled.returncode == status, settled.stderr
    assert "`make` ends with status 2" in (ROOT / "docs/reference.md").read_text(encoding="utf-8")


def test_a_stack_that_no_longer_answers_is_reported_in_words(running, event, tmp_path):
    text = (running.state / "env").read_text(encoding="utf-8")
    endpoint = running.environment()["AWS_ENDPOINT_URL"]
    (running.state / "env").write_text(text.replace(endpoint, "http://127.0.0.1:9"), encoding="utf-8")
    try:
        settled = running("settle", event())
    finally:
        (running.state / "env").write_text(text, encoding="utf-8")

    assert settled.returncode == 1
    assert "the local stack does not answer" in settled.stderr
    assert "Traceback" not in settled.stderr


def test_a_second_stack_is_refused(running):
    again = running("up")

    assert again.returncode == 1
    assert "running already" in again.stdout


def test_without_a_stack_settling_says_how_to_start_one(stopped, event):
    settled = stopped("settle", event())

    assert settled.returncode == 1
    assert "make up" in settled.stderr


def test_a_taken_port_is_reported_and_nothing_stays(stopped):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        started = stopped("up", AWS_PORT=str(taken.getsockname()[1]))

    assert started.returncode == 1
    assert "in use" in started.stdout
    assert not (stopped.state / "env").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"WAIT_SCALE": "2"},
        {"WAIT_SCALE": "soon"},
        {"AWS_PORT": "http"},
        {"PARAMS": "SnapStart"},
        {"PARAMS": "NoSuch=1"},
        {"PARAMS": "PaymentWaitDays=99"},
        {"PARAMS": "PaymentWaitDays=x"},
        {"PARAMS": "DefaultMchid=abc"},
        {"PARAMS": "SnapStart=on"},
        {"WECHATPAY_HOSTS": "api.mch.weixin.qq.com"},
        {"WECHATPAY_HOSTS": "http://api.mch.weixin.qq.com"},
    ],
)
def test_a_wrong_setting_is_named_before_anything_is_built(stopped, wrong):
    checked = stopped("settings", **wrong)

    assert checked.returncode == 1
    assert checked.stderr.startswith(next(iter(wrong)))
    assert "Traceback" not in checked.stderr
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nup: ")[2].split("\n\n")[0]
    assert recipe.index("local.settings") < recipe.index("tools.build host") < recipe.index("local.up")


def test_a_mistyped_parameter_says_which_was_meant(stopped):
    checked = stopped("settings", PARAMS="PaymentWaitDay=3")

    assert "no parameter PaymentWaitDay: did you mean PaymentWaitDays?" in checked.stderr


def test_what_may_be_given_is_accepted(stopped):
    given = {
        "PARAMS": 'PaymentWaitDays=0 AlarmEmail="a@b.cn" FunctionMemory=256',
        "WAIT_SCALE": "0",
        "AWS_PORT": "0",
    }

    assert stopped("settings", **given, WECHATPAY_HOSTS="http://127.0.0.1:9").returncode == 0


def test_stopping_leaves_nothing(stopped):
    hosts = "http://127.0.0.1:9,http://127.0.0.1:10"
    given = "DefaultMchid=42 FunctionMemory=256 PaymentNotification=On"
    assert stopped("up", WECHATPAY_HOSTS=hosts, PARAMS=given).returncode == 0
    environment = stopped.environment()
    assert status_of_a_notification(environment["PAYMENT_NOTIFICATION_URL"]) == 401
    assert "SIMULATOR_CONTROL" not in environment
    stacks = connect("cloudformation", environment).describe_stacks(StackName=environment["STACK_NAME"])
    given = {p["ParameterKey"]: p["ParameterValue"] for p in stacks["Stacks"][0]["Parameters"]}
    assert (given["WeChatPayHosts"], given["DefaultMchid"], given["FunctionMemory"]) == (hosts, "42", "256")
    assert connect("secretsmanager", environment).list_secrets()["SecretList"] == []

    assert stopped("down").stdout == "Stopped.\n"

    port = int(environment["AWS_ENDPOINT_URL"].rsplit(":", 1)[1])
    with socket.socket() as client, pytest.raises(ConnectionRefusedError):
        client.connect(("127.0.0.1", port))
    assert list(stopped.state.iterdir()) == []
    assert stopped("down").stdout == "Nothing was running.\n"


def status_of_a_notification(url):
    """What an unsigned one is answered, which shows that the function is reached."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.HTTPError) as refused:
        opener.open(urllib.request.Request(f"{url}42", b"{}", method="POST"))
    refused.value.close()
    return refused.value.code


OTHER_ACCOUNT = {
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "a-token-of-the-real-account",
    "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_CLOUDFORMATION": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
}


@pytest.mark.parametrize(
    ("shell", "command"),
    [
        ("sh", "cloudformation describe-stacks"),
        ("sh", "events list-rules"),
        ("sh", "lambda list-functions"),
        ("sh", "logs describe-log-groups"),
        ("sh", "secretsmanager list-secrets"),
        ("sh", "stepfunctions list-state-machines"),
        ("sh", "sqs list-queues"),
        ("bash", "sqs list-queues"),
    ],
)
def test_the_aws_cli_reaches_the_local_stack_whatever_was_set_before(running, shell, command):
    script = f". {running.state / 'env'}; .venv/bin/aws {command}"
    done = subprocess.run(
        [shell, "-c", script], cwd=ROOT, env={**os.environ, **OTHER_ACCOUNT}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


def test_the_environment_file_leaves_no_credentials_of_another_account(running):
    script = f". {running.state / 'env'}; env"
    done = subprocess.run(
        ["sh", "-c", script], env={**os.environ, **OTHER_ACCOUNT}, capture_output=True, text=True, check=True
    )
    seen = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    won = {name for name in OTHER_ACCOUNT if name.startswith("AWS_") and name in seen}
    assert won == set()
    assert "127.0.0.1" in seen["no_proxy"]


def test_reload_deploys_onto_the_running_stack_and_keeps_its_parameters(running, event):
    before = stack_parameters(running)
    reloaded = running("reload")
    assert (reloaded.returncode, reloaded.stdout.startswith("Deployed in ")) == (0, True), reloaded.stderr
    assert stack_parameters(running) == before
    assert running("settle", event()).returncode == 0


def stack_parameters(running):
    environment = running.environment()
    formation = connect("cloudformation", environment)
    (stack,) = formation.describe_stacks(StackName=environment["STACK_NAME"])["Stacks"]
    return {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}


def test_reload_without_a_stack_says_how_to_start_one(stopped):
    reloaded = stopped("reload")
    assert (reloaded.returncode, reloaded.stderr) == (
        1,
        "no local stack is running: start it with `make up`\n",
    )
