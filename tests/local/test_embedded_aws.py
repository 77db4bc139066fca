"""The embedded AWS behaves as AWS where MiniStack by itself does not, and leaves nothing behind."""

import base64
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import types
import urllib.error
import urllib.request
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.aws import EmbeddedAws, EmbeddedAwsError
from local.aws.embedded import ROOT
from local.aws.patches import PatchError, callbacks, processes, retries
from operations import executions

ROLE = "arn:aws:iam::000000000000:role/anyone"
APP = """
import importlib.util, os, signal, sys, time

class Unlucky(Exception): ...

def handler(event, context):
    do = event.get("do")
    if do == "raise":
        raise Unlucky("坏运气")
    if do == "raise twice" and context.client_context.custom["retry_count"] < 2:
        raise Unlucky("坏运气")
    if do == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if do == "exit":
        sys.exit(1)
    if do == "hang":
        time.sleep(60)
    if do == "look":
        found = [name for name in ("boto3", "ministack", "cryptography") if importlib.util.find_spec(name)]
        return {"modules": found, "environment": dict(os.environ)}
    if do == "where":
        return {"pid": os.getpid(), "file": os.path.realpath(__file__)}
    return {"pid": os.getpid(), "custom": context.client_context and context.client_context.custom}
"""


CLIENT_CONTEXT = base64.b64encode(b'{"custom": {"execution": "this one"}}').decode()
ATTEMPT = """{% $base64encode($string({"custom": {
    "retry_count": $states.context.State.RetryCount,
    "redrive_count": $states.context.Execution.RedriveCount,
    "entered_time": $states.context.State.EnteredTime,
    "nothing": $states.context.Execution.Nothing}})) %}"""


def unlucky_retried(times, **waits):
    return {"ErrorEquals": ["Unlucky"], "MaxAttempts": times, "IntervalSeconds": 1, **waits}


def deploy(aws):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("app.py", APP)
        code.writestr("broken.py", "import nowhere_to_be_found")
    for name, handler in (("works", "app.handler"), ("broken", "broken.handler")):
        aws.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler=handler,
            Role=ROLE,
            Timeout=2,
            Code={"ZipFile": archive.getvalue()},
        )


@pytest.fixture(scope="module")
def aws():
    user = {
        "AWS_PROFILE": "someone",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "SECRET_OF_THE_USER": "yes",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in user.items():
            patch.setenv(name, value)
        with EmbeddedAws(wait_scale=0) as started:
            deploy(started)
            yield started


@pytest.fixture
def invoke(aws):
    def call(do="", function="works"):
        reply = aws.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"do": do}))
        return json.loads(reply["Payload"].read())

    return call


@pytest.fixture
def run(aws, request):
    def execute(do, retry=(), client_context=CLIENT_CONTEXT):
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {
                "FunctionName": "works",
                "Payload": {"do": do},
                "ClientContext": client_context,
            },
            "Output": "{% $states.result.Payload %}",
            "Retry": list(retry),
            "End": True,
        }
        definition = {"QueryLanguage": "JSONata", "StartAt": "Call", "States": {"Call": task}}
        workflow = aws.client("stepfunctions")
        machine = workflow.create_state_machine(
            name=request.node.name[:80], definition=json.dumps(definition), roleArn=ROLE
        )
        started = workflow.start_execution(stateMachineArn=machine["stateMachineArn"])
        return executions.follow(workflow, started["executionArn"])

    return execute


def test_a_raised_error_reaches_the_workflow_by_its_class_name(run):
    execution = run("raise")

    assert execution.error == "Unlucky"
    cause = json.loads(execution.cause)
    assert set(cause) == {"errorMessage", "errorType", "requestId", "stackTrace"}
    assert (cause["errorType"], cause["errorMessage"]) == ("Unlucky", "坏运气")
    assert "raise Unlucky" in cause["stackTrace"][-1]


def test_a_retrier_matches_the_class_name_and_counts(run):
    assert run("raise", [unlucky_retried(2)]).raised == ["Unlucky"] * 3


def test_a_process_survives_what_its_function_raises(invoke):
    before = invoke()["pid"]

    assert invoke("raise")["errorType"] == "Unlucky"

    assert invoke()["pid"] == before


@pytest.mark.parametrize("way", ["die", "exit"])
def test_a_process_that_ends_in_a_call_is_an_exit_error_and_is_replaced(invoke, run, way):
    before = invoke()["pid"]

    assert run(way).error == "Runtime.ExitError"

    assert invoke()["pid"] != before


def test_a_process_finds_the_code_that_was_unpacked_for_the_one_before(invoke):
    before = invoke("where")
    invoke("die")
    after = invoke("where")
    assert (after["pid"] != before["pid"], after["file"]) == (True, before["file"])


def test_a_process_that_cannot_start_takes_no_other_process_with_it():
    dead, killed = [], []
    runtime, service = types.ModuleType("lambda_runtime"), types.ModuleType("lambda_svc")
    runtime._workers, runtime._lock = {"works": ["broken", "well"]}, threading.Lock()
    runtime.kill_workers = killed.extend
    service.acquire_worker = lambda *_arguments, **_rest: ("broken", "spawn")
    service.release_worker = lambda _worker: None
    service.invalidate_worker = lambda *arguments, **_rest: dead.extend(arguments)
    processes.drop_only_the_broken(runtime, service)

    service.acquire_worker("works")
    service.invalidate_worker("works")
    service.release_worker(None)
    assert (runtime._workers, killed, dead) == ({"works": ["well"]}, ["broken"], [])

    service.invalidate_worker("works")  # the function was deleted
    assert dead == ["works"]


def test_a_function_that_takes_too_long_is_timed_out_by_name(run):
    assert run("hang").error == "Sandbox.Timedout"


def test_a_module_that_cannot_be_imported_is_named_as_on_aws(invoke):
    reply = invoke(function="broken")

    assert reply["errorType"] == "Runtime.ImportModuleError"
    assert "nowhere_to_be_found" in reply["errorMessage"]


def test_the_client_context_of_a_task_reaches_its_own_call_only(run, invoke):
    assert run("").output["custom"] == {"execution": "this one"}
    assert invoke()["custom"] is None


def test_a_task_hands_over_which_attempt_it_is(run):
    execution = run("raise twice", [unlucky_retried(5)], client_context=ATTEMPT)

    assert execution.raised == ["Unlucky"] * 2
    custom = execution.output["custom"]
    entered = datetime.fromisoformat(custom.pop("entered_time"))
    assert timedelta() <= datetime.now(UTC) - entered < timedelta(minutes=1)
    assert custom == {"retry_count": 2, "redrive_count": 0}


def test_a_state_was_entered_as_long_ago_as_its_unscaled_waits(run):
    waits = {"IntervalSeconds": 300, "BackoffRate": 2}
    execution = run("raise twice", [unlucky_retried(5, **waits)], client_context=ATTEMPT)

    entered = datetime.fromisoformat(execution.output["custom"]["entered_time"])
    assert timedelta(seconds=900) <= datetime.now(UTC) - entered < timedelta(seconds=960)


def test_functions_find_what_the_lambda_runtime_brings_and_no_more(invoke):
    assert invoke("look")["modules"] == ["boto3"]


def test_functions_see_nothing_of_the_users_own_settings(aws, invoke):
    environment = invoke("look")["environment"]

    assert environment["AWS_ENDPOINT_URL"] == aws.endpoint
    assert not {"AWS_PROFILE", "HTTP_PROXY", "SECRET_OF_THE_USER"} & environment.keys()
    assert environment["TZ"] == "UTC"


def test_delays_grow_to_their_cap():
    retrier = unlucky_retried(9, BackoffRate=2, MaxDelaySeconds=10)

    assert [retries.retry_delay(retrier, tried) for tried in range(6)] == [1, 2, 4, 8, 10, 10]


def test_jitter_takes_any_delay_from_none_to_the_full_one():
    retrier = unlucky_retried(9, BackoffRate=2, MaxDelaySeconds=10, JitterStrategy="FULL")

    assert retries.retry_delay(retrier, 3, uniform=lambda low, high: (low, high)) == (0, 8)
    assert retries.retry_delay(retrier, 4, uniform=lambda low, high: (low, high)) == (0, 10)


def test_the_workflow_waits_for_the_declared_delay_scaled(monkeypatch):
    waited = []
    retrier = unlucky_retried(9, BackoffRate=3, MaxDelaySeconds=7)
    ministack = types.ModuleType("stepfunctions")
    ministack._SFN_WAIT_SCALE = 0.5
    ministack._find_matching_retrier = lambda retriers, error, counts: (retriers[0], 0)
    ministack._execute_task = lambda state, given, execution, context: None
    monkeypatch.setattr(retries.time, "sleep", waited.append)
    retries.wait_as_declared(ministack)

    matched = [ministack._find_matching_retrier([retrier], "Unlucky", {0: tried}) for tried in range(3)]

    assert waited == [0.5, 1.5, 3.5]
    assert matched == [({**retrier, "IntervalSeconds": 0}, 0)] * 3


def test_a_task_waiting_for_its_token_times_out_by_its_scaled_expression():
    executed = []
    ministack = types.ModuleType("stepfunctions")
    ministack._SFN_WAIT_SCALE = 0.5
    ministack._jsonata_state_field = lambda state, field, expected, given, context: context[state[field]]
    ministack._execute_task = lambda state, given, execution, context: executed.append(state)
    callbacks.time_as_declared(ministack)
    waiting = {"Resource": "arn:aws:states:::aws-sdk:x:y.waitForTaskToken", "TimeoutSeconds": "{% $pause %}"}
    other = {"Resource": "arn:aws:states:::lambda:invoke", "TimeoutSeconds": 60}

    for state in (waiting, other):
        ministack._execute_task(state, {}, {}, {"{% $pause %}": 300})

    assert executed == [{**waiting, "TimeoutSeconds": 150}, other]


def test_every_wrap_is_in_place_in_the_process_that_serves():
    program = """
from local.aws import patches
patches.install("python")
from ministack.core import lambda_runtime
from ministack.services import lambda_svc, stepfunctions
from ministack.services.cloudformation import provisioners
names = {
    lambda_runtime: ["_detect_runtime_binary"],
    lambda_svc: ["_execute_function_warm", "_durable_env_overlay"],
    stepfunctions: ["_find_matching_retrier", "_invoke_resource", "_execute_task", "_call_lambda"],
    provisioners: ["_sfn_definition"],
}
modules = {getattr(module, name).__module__ for module in names for name in names[module]}
print(sorted(module.removeprefix("local.aws.patches.") for module in modules))
"""
    wrapped = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)

    patched = [
        "client_context",
        "concurrency",
        "processes",
        "raised_errors",
        "redrives",
        "retries",
        "templates",
    ]
    assert wrapped.stdout == f"{patched}\n", wrapped.stderr


def test_an_error_that_no_retrier_names_waits_for_nothing(run):
    assert run("raise", [{"ErrorEquals": ["Another"], "MaxAttempts": 5}]).raised == ["Unlucky"]


@pytest.mark.parametrize("header", [{"Origin": "https://attacker.example"}, {"Host": "attacker.example"}])
def test_a_page_in_a_browser_is_refused(aws, header):
    request = urllib.request.Request(f"{aws.endpoint}/_ministack/health", headers=header)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    with pytest.raises(urllib.error.HTTPError, match="403"):
        opener.open(request, timeout=10)


def test_accounts_on_one_server_do_not_meet(aws):
    one, other = (aws.client("secretsmanager", account) for account in ("111111111111", "222222222222"))
    one.create_secret(Name="same", SecretString="one")
    other.create_secret(Name="same", SecretString="other")

    assert one.get_secret_value(SecretId="same")["SecretString"] == "one"


def test_it_listens_on_loopback_only(aws):
    command = ["lsof", "-nPa", "-p", str(aws.pid), "-iTCP", "-sTCP:LISTEN", "-Fn"]
    if Path("/proc/net/tcp").exists():
        listening = listening_in_proc(aws.pid)
    else:
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        listening = {line[1:] for line in listed.splitlines() if line.startswith("n")}

    assert listening == {f"127.0.0.1:{aws.port}"}


def listening_in_proc(pid):
    """Addresses that a process of this machine listens on, by Linux's own tables."""
    sockets = {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()}
    addresses = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text(encoding="utf-8").splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A" and f"socket:[{inode}]" in sockets:
                address, port = local.split(":")
                host = socket.inet_ntoa(bytes.fromhex(address)[::-1]) if table == "tcp" else address
                addresses.add(f"{host}:{int(port, 16)}")
    return addresses


def test_a_taken_port_is_reported():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(EmbeddedAwsError, match=f"port {port} .* in use"):
            EmbeddedAws(port=port).start()


def test_another_release_of_ministack_is_refused(tmp_path):
    release = tmp_path / "ministack-9.9.9.dist-info"
    release.mkdir()
    (release / "METADATA").write_text("Metadata-Version: 2.1\nName: ministack\nVersion: 9.9.9\n")

    with pytest.raises(EmbeddedAwsError, match=r"needs MiniStack 1\.5\.33, found 9\.9\.9"):
        EmbeddedAws(environment={"PYTHONPATH": str(tmp_path)}).start()


def test_a_name_that_is_gone_is_refused():
    with pytest.raises(PatchError, match="_find_matching_retrier"):
        retries.wait_as_declared(types.ModuleType("stepfunctions"))


def test_a_missing_interpreter_is_reported(tmp_path):
    with pytest.raises(EmbeddedAwsError, match="make build"):
        EmbeddedAws(function_python=tmp_path / "python").start()


def gone(group):
    """Whether no process of the group is left; the system takes a moment to remove the last one."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_stopping_ends_its_functions_and_removes_its_files(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with EmbeddedAws() as aws:
        deploy(aws)
        aws.client("lambda").invoke(FunctionName="works", Payload="{}")
        group = aws.pid
        assert len(list(tmp_path.glob("embedded-aws-*/ministack-lambda-*"))) == 1

    assert gone(group)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_the_process_that_started_it_however_that_ends(tmp_path, number):
    program = """
import sys, time
from local.aws import EmbeddedAws
aws = EmbeddedAws().start()
print(aws.pid, flush=True)
time.sleep(60)
"""
    starter = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    group = int(starter.stdout.readline())
    assert [path.name.startswith("embedded-aws-") for path in tmp_path.iterdir()] == [True]

    starter.send_signal(number)
    starter.communicate()

    assert gone(group)
    assert list(tmp_path.iterdir()) == []
