"""`make secret`: what is written, and that nothing unproven ever becomes current."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from operations.staging import StagedSecret
from tests.operations.conftest import Command, Merchant, secrets_in
from tests.replies import refusal

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"


def test_a_merchant_is_onboarded_from_the_files_alone(merchant: Merchant) -> None:
    ran = merchant.store()
    assert ran.status == 0, ran.text
    assert merchant.stored.value() == merchant.expected()
    tags = {tag["Key"]: tag["Value"] for tag in (merchant.stored.describe() or {})["Tags"]}
    assert tags["certificate-serial"] == merchant.simulator.secret()["merchant_serial_no"]
    assert tags["certificate-expires"].endswith("Z")
    assert "verified 404" in ran.text


def test_what_was_not_proven_is_printed_last(merchant: Merchant) -> None:
    ran = merchant.store("--service-id", "500099")
    assert ran.status == 0
    last = ran.text.splitlines()[-1]
    assert "service_id and appid not proven" in last
    assert "service_id 500099" in last


def test_a_wrong_service_id_is_refused_once_an_order_is_named(merchant: Merchant, order_no: str) -> None:
    merchant.simulator.open_order(order_no)
    ran = merchant.store("--service-id", "500099", "--order", order_no)
    assert ran.status == 1
    assert "500099" in ran.text
    assert merchant.stored.describe() is None


@pytest.mark.parametrize("tail", ["271302149", "271302144"])
def test_a_refusal_about_the_merchants_set_up_stores_nothing(
    merchant_of: Callable[..., Merchant], tail: str
) -> None:
    merchant = merchant_of()
    merchant.simulator.script(None, "query", **refusal(400, "PARAM_ERROR", "mch_id和appid未绑定", tail))
    ran = merchant.store()
    assert ran.status == 1
    assert "Check appid" in ran.text
    assert merchant.stored.describe() is None


def test_no_part_of_a_secret_is_printed(merchant: Merchant) -> None:
    printed = [
        merchant.store().text,
        merchant.store(typed=merchant.api_v3_key[:31]).text,
        merchant.store().text,
    ]
    assert secrets_in("".join(printed), merchant.simulator.secret()) == []


def test_a_new_secret_that_wechat_pay_refuses_is_not_even_created(
    merchant_of: Callable[..., Merchant],
) -> None:
    merchant = merchant_of()
    merchant.simulator.rotate_merchant_key()
    ran = merchant.store()
    assert ran.status == 1
    assert "WeChat Pay refuses the signature" in ran.text
    assert merchant.stored.describe() is None


def test_rotation_waits_as_pending_until_it_is_proven(merchant: Merchant) -> None:
    merchant.store()
    seen = {}

    def prove(stored: dict[str, Any]) -> None:
        seen.update(merchant.stages(), proven=stored["service_id"])

    merchant.stored.store({**merchant.simulator.secret(), "service_id": "500009"}, prove, lambda _: None)
    assert seen == {CURRENT: "500001", PENDING: "500009", "proven": "500009"}
    assert merchant.stages() == {CURRENT: "500009", PREVIOUS: "500001"}


def test_a_rotated_key_is_stored_and_the_rest_is_kept(merchant_of: Callable[..., Merchant]) -> None:
    merchant = merchant_of()
    merchant.store()
    merchant.simulator.rotate_merchant_key()
    merchant.take_files()
    ran = merchant.change("--files", str(merchant.directory), typed="")
    assert ran.status == 0, ran.text
    assert merchant.stored.value() == merchant.expected()


def test_the_api_of_the_orders_is_stored_and_outlives_a_rotation(merchant: Merchant) -> None:
    stored = merchant.store("--order-api", "payafter-orders")
    assert stored.status == 0, stored.text
    value = {**(merchant.stored.value() or {}), "unmanned_retail": False}
    merchant.stored.store(value, lambda _: None, lambda _: None)
    assert merchant.store().status == 0
    assert merchant.stored.value() == merchant.expected() | {
        "order_api": "payafter-orders",
        "unmanned_retail": False,
    }


def test_an_api_that_does_not_exist_is_refused(merchant: Merchant) -> None:
    ran = merchant.store("--order-api", "payscore")
    assert ran.status == 1
    assert "order_api" in ran.text
    assert merchant.stored.describe() is None


def test_a_rotation_that_fails_is_rolled_back(merchant_of: Callable[..., Merchant]) -> None:
    merchant = merchant_of()
    merchant.store()
    before = merchant.stored.value()
    merchant.simulator.rotate_merchant_key()
    merchant.take_files()
    # The new certificate is not in use yet where the order would be settled.
    elsewhere = merchant_of().simulator.hosts
    ran = merchant.change("--files", str(merchant.directory), "--hosts", ",".join(elsewhere), typed="")
    assert ran.status == 1
    assert "rolled back" in ran.text
    assert merchant.stored.value() == before
    assert merchant.stages() == {CURRENT: "500001"}


@pytest.mark.parametrize("host", ["api.mch.weixin.qq.com", "http://api.mch.weixin.qq.com"])
def test_no_merchant_is_proven_in_clear(merchant: Merchant, host: str) -> None:
    ran = merchant.change("--files", str(merchant.directory), "--hosts", host, typed="")
    assert ran.status == 1
    assert f"{host!r} must be https://host" in ran.text


def test_an_interrupted_rotation_is_rolled_back(merchant: Merchant) -> None:
    merchant.store()

    def interrupt(_stored: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merchant.stored.store(
            {**merchant.simulator.secret(), "service_id": "500009"}, interrupt, lambda _: None
        )
    assert merchant.stages() == {CURRENT: "500001"}


def test_what_a_killed_rotation_left_pending_is_replaced(merchant: Merchant, aws: Any) -> None:
    merchant.store()
    aws.client("secretsmanager").put_secret_value(
        SecretId=merchant.stored.name, SecretString='{"service_id": "left"}', VersionStages=[PENDING]
    )
    assert merchant.change("--mchid", "1900000001", "--service-id", "500009", typed="").status == 0
    assert merchant.stages() == {CURRENT: "500009", PREVIOUS: "500001"}


def test_a_rotation_never_overwrites_another_one(merchant: Merchant, aws: Any) -> None:
    merchant.store()

    def meanwhile(_stored: dict[str, Any]) -> None:
        value = '{"service_id": "theirs"}'
        aws.client("secretsmanager").put_secret_value(SecretId=merchant.stored.name, SecretString=value)

    with pytest.raises(Exception, match="InvalidParameterException"):
        merchant.stored.store(
            {**merchant.simulator.secret(), "service_id": "ours"}, meanwhile, lambda _: None
        )
    assert merchant.stages() == {CURRENT: "theirs", PREVIOUS: "500001"}


def test_a_lost_answer_to_the_promotion_is_read_back(merchant: Merchant, aws: Any) -> None:
    merchant.store()
    client = aws.client("secretsmanager")
    move = client.update_secret_version_stage

    def move_and_lose_the_answer(**arguments: Any) -> None:
        move(**arguments)
        if "MoveToVersionId" in arguments:
            raise EndpointConnectionError(endpoint_url="https://secretsmanager")

    client.update_secret_version_stage = move_and_lose_the_answer
    secret = StagedSecret(client, merchant.stored.name)
    secret.store({**merchant.simulator.secret(), "service_id": "500009"}, lambda _: None, lambda _: None)
    assert merchant.stages() == {CURRENT: "500009", PREVIOUS: "500001"}


def test_a_new_version_that_is_live_is_never_called_rolled_back(merchant: Merchant, aws: Any) -> None:
    merchant.store()
    client = aws.client("secretsmanager")
    move = client.update_secret_version_stage

    def fail_after_the_promotion(**arguments: Any) -> None:
        if "MoveToVersionId" not in arguments:
            raise EndpointConnectionError(endpoint_url="https://secretsmanager")
        move(**arguments)

    client.update_secret_version_stage = fail_after_the_promotion
    secret = StagedSecret(client, merchant.stored.name)
    messages: list[str] = []
    with pytest.raises(EndpointConnectionError):
        secret.store({**merchant.simulator.secret(), "service_id": "500009"}, lambda _: None, messages.append)
    assert merchant.stages()[CURRENT] == "500009"
    assert "AWSCURRENT is the new version" in messages[-1]
    assert not any("rolled back" in each for each in messages)


def test_storing_the_same_again_makes_no_new_version(merchant: Merchant) -> None:
    merchant.store()
    versions = (merchant.stored.describe() or {})["VersionIdsToStages"]
    ran = merchant.store()
    assert ran.status == 0
    assert "unchanged" in ran.text
    assert (merchant.stored.describe() or {})["VersionIdsToStages"] == versions


def test_a_merchant_of_certificates_is_proven_by_the_download(merchant_of: Callable[..., Merchant]) -> None:
    merchant = merchant_of("certificate")
    ran = merchant.store()
    assert ran.status == 0, ran.text
    assert "decrypts the platform certificates" in ran.text
    assert "wechatpay_certificates" not in (merchant.stored.value() or {})


def test_an_api_v3_key_that_decrypts_nothing_is_refused(merchant_of: Callable[..., Merchant]) -> None:
    merchant = merchant_of("both")
    ran = merchant.store(typed=f"{'x' * 32}\n")
    assert ran.status == 1
    assert "api_v3_key does not decrypt" in ran.text
    assert merchant.stored.describe() is None


def test_a_public_key_that_does_not_verify_is_refused(merchant_of: Callable[..., Merchant]) -> None:
    merchant, other = merchant_of(), merchant_of().simulator
    merchant.put("pub_key.pem", other.secret()["wechatpay_public_key"])
    ran = merchant.store()
    assert ran.status == 1
    assert "HTTP 404" in ran.text
    assert "Wechatpay-Signature is wrong" in ran.text
    assert merchant.stored.describe() is None


def test_a_migration_to_the_public_key_goes_through_both(merchant_of: Callable[..., Merchant]) -> None:
    merchant = merchant_of("certificate")
    certificate = merchant.put("platform.pem", merchant.simulator.secret()["wechatpay_certificates"][0])
    assert merchant.store("--platform-certificate", str(certificate)).status == 0
    merchant.simulator.set_keys("both")
    merchant.take_files()
    assert merchant.store().status == 0
    assert merchant.stored.value() == merchant.expected()
    merchant.simulator.set_keys("public_key")
    assert merchant.change("--mchid", "1900000001", "--drop-platform-certificates", typed="").status == 0
    assert merchant.stored.value() == merchant.expected()


def test_a_refusal_without_a_signature_asks_for_an_order_that_exists(
    merchant: Merchant, order_no: str
) -> None:
    merchant.simulator.script(None, "query", fault="unsigned", times=2)
    ran = merchant.store()
    merchant.simulator.clear_faults()
    assert ran.status == 1
    assert "ORDER=" in ran.text
    merchant.simulator.open_order(order_no)
    ran = merchant.store("--order", order_no)
    assert ran.status == 0
    assert f"verified 200: order {order_no} of smartretail-orders is USER_ACCEPTED" in ran.text


def test_a_secret_scheduled_for_deletion_says_how_to_bring_it_back(merchant: Merchant, aws: Any) -> None:
    merchant.store()
    aws.client("secretsmanager").delete_secret(SecretId=merchant.stored.name)
    ran = merchant.store()
    assert ran.status == 1
    assert "restore-secret" in ran.text


@pytest.mark.parametrize("option", ["--api-v3-key", "--api_v3_key"])
def test_the_api_v3_key_is_never_an_argument(command: Command, option: str) -> None:
    assert command("secret", option, "x" * 32).status == 2


def test_the_api_v3_key_is_not_read_from_the_environment(
    merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("API_V3_KEY", "APIV3_KEY", "API_V3_KEY_FD"):
        monkeypatch.setenv(name, merchant.api_v3_key)
    ran = merchant.store(typed="")
    assert ran.status == 1
    assert "api_v3_key: required" in ran.text
