"""`make doctor`: what is wrong is named on its own line, with what to do, and fails the command."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from wechatpay_sandbox import Simulator

from local.stack import Stack
from operations import expiry, network
from tests.operations.conftest import Command, Ran
from tests.replies import refusal

MCHID = "1900000001"


@pytest.fixture
def doctor(command: Command, stack: Stack, simulator: Simulator) -> Iterator[Callable[..., Ran]]:
    """Run it; afterwards the merchant's secret and WeChat Pay are as they were."""
    yield lambda *arguments: command("doctor", *arguments)
    simulator.clear_faults()
    simulator.set_host(1, up=True)
    name = stack.store_secret(simulator.secret())
    tags = [expiry.EXPIRES_TAG, expiry.SERIAL_TAG]
    stack.client("secretsmanager").untag_resource(SecretId=name, TagKeys=tags)


@pytest.fixture
def secret_name(stack: Stack) -> str:
    return f"{stack.outputs['MerchantSecretPrefix']}{MCHID}"


def line(ran: Ran, subject: str) -> str:
    (match,) = [each for each in ran.text.splitlines() if each[5:].startswith(subject)]
    return match


def put(stack: Stack, name: str, value: object) -> None:
    stack.client("secretsmanager").put_secret_value(SecretId=name, SecretString=json.dumps(value))


def test_everything_an_order_needs_passes(doctor: Callable[..., Ran], simulator: Simulator) -> None:
    ran = doctor()
    assert ran.status == 0
    passed = [each[5:].split(":")[0].split(" ")[0] for each in ran.text.splitlines() if each[:4] == "pass"]
    assert passed[:6] == ["stack", "secret", "host", "host", "signed", "clock"]
    assert set(passed[6:]) == {"IAM"}
    assert line(ran, "certificate").startswith("note certificate")


def test_a_date_without_its_certificate_is_reported(
    doctor: Callable[..., Ran], stack: Stack, secret_name: str
) -> None:
    tag = {"Key": expiry.EXPIRES_TAG, "Value": "2025-10-02T00:00:00Z"}
    stack.client("secretsmanager").tag_resource(SecretId=secret_name, Tags=[tag])
    assert "the date kept, 2025-10-02, names no certificate" in line(doctor(), "certificate")


def test_a_function_that_somebody_has_stopped_fails_it(doctor: Callable[..., Ran], stack: Stack) -> None:
    functions, name = stack.client("lambda"), stack.outputs["CompleteOrderFunctionArn"].rpartition(":")[0]
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        ran = doctor()
    finally:
        functions.delete_function_concurrency(FunctionName=name)
    assert ran.status == 1
    assert "somebody did that on purpose" in line(ran, "stack")


def test_a_missing_secret_is_reported_with_the_command_to_store_it(doctor: Callable[..., Ran]) -> None:
    ran = doctor("--mchid", "1900000009")
    assert ran.status == 1
    assert line(ran, "secret").startswith("FAIL")
    assert "make secret" in line(ran, "secret")


def test_a_malformed_secret_is_reported_field_by_field(
    doctor: Callable[..., Ran], stack: Stack, simulator: Simulator, secret_name: str
) -> None:
    secret = simulator.secret()
    put(stack, secret_name, {**secret, "api_v3_key": secret["api_v3_key"][:31], "merchant_serial_no": "?"})
    ran = doctor()
    assert ran.status == 1
    assert (
        "merchant_serial_no: must be text of 8-64 hexadecimal digits; api_v3_key: must be 32 bytes, is 31"
        in line(ran, "secret")
    )


def test_a_key_of_another_serial_fails_the_signed_query(
    doctor: Callable[..., Ran], stack: Stack, simulator: Simulator, secret_name: str
) -> None:
    put(stack, secret_name, {**simulator.secret(), "merchant_serial_no": "0123456789ABCDEF"})
    ran = doctor()
    assert ran.status == 1
    assert "WeChat Pay refuses the signature" in line(ran, "signed query")


def test_without_an_order_service_id_and_appid_are_not_proven(doctor: Callable[..., Ran]) -> None:
    printed = line(doctor(), "service_id, appid")
    assert printed.startswith("note service_id, appid: service_id and appid not proven")
    assert "ORDER=" in printed


def test_an_order_that_exists_proves_service_id_and_appid(
    doctor: Callable[..., Ran], simulator: Simulator
) -> None:
    simulator.open_order("DOCTOR-1")
    ran = doctor("--order", "DOCTOR-1")
    assert ran.status == 0
    assert "service_id 500001 and appid wxd678efh567hg6787 are proven" in line(ran, "signed query")
    assert "not proven" not in line(ran, "signed query")
    assert "service_id, appid" not in ran.text


def test_an_order_that_wechat_pay_does_not_know_is_reported(doctor: Callable[..., Ran]) -> None:
    ran = doctor("--order", "NO-SUCH-1")
    assert ran.status == 1
    printed = line(ran, "signed query")
    assert printed.startswith("FAIL")
    assert "WeChat Pay does not know order NO-SUCH-1" in printed
    assert "smartretail-orders: 404, payafter-orders: 404, serviceorder: 404" in printed


@pytest.mark.parametrize("of_secret", [None, "smartretail-orders", "payafter-orders", "serviceorder"])
@pytest.mark.parametrize("of_order", ["smartretail-orders", "payafter-orders", "serviceorder"])
def test_an_order_of_another_api_than_the_secrets_is_found(
    doctor: Callable[..., Ran],
    stack: Stack,
    simulator: Simulator,
    secret_name: str,
    of_secret: str | None,
    of_order: str,
) -> None:
    put(stack, secret_name, {**simulator.secret(), **({"order_api": of_secret} if of_secret else {})})
    number = f"DOCTOR-{of_order[:12]}-{of_secret or 'none'}"[:32]
    simulator.open_order(number, api=of_order)
    ran = doctor("--order", number)
    printed = line(ran, "signed query")
    assert ran.status == 0, ran.text
    assert f"order {number} of {of_order} is USER_ACCEPTED" in printed
    others = of_order != (of_secret or "smartretail-orders")
    assert (
        f"taken for {of_secret or 'smartretail-orders'}, which does not know this one" in printed
    ) is others


def test_another_api_without_a_verified_answer_is_reported(
    doctor: Callable[..., Ran], simulator: Simulator
) -> None:
    simulator.script("NO-SUCH-2", "query", **refusal(404, "ORDER_NOT_EXIST"))
    simulator.script("NO-SUCH-2", "query", fault="no_auth")
    simulator.script("NO-SUCH-2", "query", fault="unsigned", times=None)
    printed = line(doctor("--order", "NO-SUCH-2"), "signed query")
    assert "smartretail-orders: 404, payafter-orders: 403, serviceorder: 404 not verified" in printed


def test_a_missing_permission_is_reported_with_its_api(
    doctor: Callable[..., Ran], stack: Stack, simulator: Simulator, secret_name: str
) -> None:
    put(stack, secret_name, {**simulator.secret(), "order_api": "serviceorder"})
    simulator.script(None, "query", fault="no_auth", times=None)
    printed = line(doctor(), "signed query")
    assert printed.startswith("FAIL")
    assert "to open serviceorder" in printed
    assert "make secret ORDER_API=" in printed


def test_a_subnet_without_a_way_out_is_named(stack: Stack) -> None:
    ec2 = stack.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    shut, open_ = (
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{each}.0/24")["Subnet"]["SubnetId"] for each in (0, 1)
    )
    address = ec2.allocate_address(Domain="vpc")
    gateway = ec2.create_nat_gateway(SubnetId=open_, AllocationId=address["AllocationId"])["NatGateway"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(
        RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway["NatGatewayId"]
    )
    ec2.associate_route_table(RouteTableId=table, SubnetId=open_)
    findings = {each.message.split()[0]: each for each in network.check(ec2, [shut, open_])}
    assert findings[shut].failed
    assert not findings[open_].failed
    assert gateway["NatGatewayId"] in findings[open_].message


def test_a_host_that_is_down_is_named(doctor: Callable[..., Ran], simulator: Simulator) -> None:
    simulator.set_host(1, up=False)
    ran = doctor()
    assert ran.status == 1
    down = line(ran, f"host 域名 {simulator.hosts[1]}")
    assert down.startswith("FAIL")
    assert "Connection refused" in down
    assert line(ran, f"host 域名 {simulator.hosts[0]}").startswith("pass")


@pytest.mark.parametrize(("seconds", "verdict"), [(0, "pass"), (-90, "note"), (900, "FAIL"), (-900, "FAIL")])
def test_the_clock_is_compared_with_the_replys(
    doctor: Callable[..., Ran], simulator: Simulator, seconds: int, verdict: str
) -> None:
    for operation in ("query", "certificates"):
        simulator.script(None, operation, fault="stale_timestamp", times=2, offset=seconds)
    ran = doctor()
    assert line(ran, "clock").startswith(verdict)
    assert ran.status == (1 if verdict == "FAIL" else 0)


def test_a_missing_permission_of_the_function_is_named(doctor: Callable[..., Ran], stack: Stack) -> None:
    iam = stack.client("iam")
    arn = stack.outputs["CompleteOrderFunctionArn"]
    role = stack.client("lambda").get_function_configuration(FunctionName=arn)["Role"].rpartition("/")[2]
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    iam.delete_role_policy(RoleName=role, PolicyName=name)
    try:
        ran = doctor()
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))
    assert ran.status == 1
    denied = [each for each in ran.text.splitlines() if each.startswith("FAIL IAM")]
    assert ["CompleteOrder" in each for each in denied] == [True]
    assert "may not secretsmanager:GetSecretValue on arn:" in denied[0]


@pytest.mark.parametrize(
    ("days", "verdict", "text"),
    [
        (400, "pass", "valid until"),
        (29, "note", "expires in 29 days"),
        (6.9, "FAIL", "expires in 6.9 days"),
        (0.9, "FAIL", "expires in 0.9 days"),
        (-1, "FAIL", "expired on"),
    ],
)
def test_the_certificates_expiry_is_read_from_the_tags(
    doctor: Callable[..., Ran],
    command: Command,
    stack: Stack,
    simulator: Simulator,
    secret_name: str,
    days: float,
    verdict: str,
    text: str,
) -> None:
    expires = datetime.now(UTC) + timedelta(days=days, minutes=5)
    tags = expiry.tags(simulator.secret()["merchant_serial_no"], expires)
    stack.client("secretsmanager").tag_resource(SecretId=secret_name, Tags=tags)
    ran = doctor()
    assert line(ran, "certificate").startswith(verdict)
    assert text in line(ran, "certificate")
    assert ran.status == (1 if verdict == "FAIL" else 0)
    assert text in line(command("expiry"), f"certificate 商户证书 {MCHID}")


def test_an_expiry_of_another_certificate_is_not_believed(
    doctor: Callable[..., Ran], stack: Stack, secret_name: str
) -> None:
    tags = expiry.tags("ABCDEF0123456789", datetime.now(UTC) + timedelta(days=400))
    stack.client("secretsmanager").tag_resource(SecretId=secret_name, Tags=tags)
    assert line(doctor(), "certificate").startswith("note")


def test_a_missing_stack_is_reported_in_one_sentence(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACK_NAME", "elsewhere")
    ran = command("doctor")
    assert ran.status == 1
    assert ran.text.startswith("there is no stack 'elsewhere'")
    assert len(ran.text.splitlines()) == 1


def test_an_unknown_profile_is_reported_in_one_sentence(command: Command) -> None:
    ran = command("stuck", "--profile", "nobody")
    assert ran.status == 1
    assert ran.text.startswith("AWS cannot be reached or used")
    assert len(ran.text.splitlines()) == 1
