import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from wechatpay.errors import MerchantMisconfigured, WeChatPayUnavailable
from wechatpay.merchant_secrets import MerchantSecrets

from tests.unit.wechatpay.material import MCHID, private_pem, rsa_key, secret

NAME = f"wechatpay/merchants/{MCHID}"


def client(**options: Any) -> Any:
    return boto3.client(
        "secretsmanager",
        region_name="cn-north-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        **options,
    )


@pytest.fixture
def stubbed() -> Iterator[tuple[MerchantSecrets, Stubber]]:
    secrets_manager = client()
    with Stubber(secrets_manager) as stubber:
        yield MerchantSecrets("wechatpay/merchants/", secrets_manager), stubber
        stubber.assert_no_pending_responses()


def test_the_secret_is_read_by_its_prefix_and_merchant(stubbed: tuple[MerchantSecrets, Stubber]) -> None:
    secrets, stubber = stubbed
    stubber.add_response("get_secret_value", {"SecretString": json.dumps(secret())}, {"SecretId": NAME})
    assert secrets.read(MCHID).signer.mchid == MCHID


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ResourceNotFoundException", "there is no such secret"),
        ("AccessDeniedException", "the function may not read it (IAM)"),
        ("DecryptionFailure", "its KMS key does not decrypt it"),
        ("InvalidRequestException", "it is scheduled for deletion or has no current version"),
        ("InvalidParameterException", "its name is not valid"),
        ("ValidationException", "its name is not valid"),
    ],
)
def test_what_lasts_until_somebody_acts_is_misconfigured(
    stubbed: tuple[MerchantSecrets, Stubber], code: str, reason: str
) -> None:
    secrets, stubber = stubbed
    stubber.add_client_error(
        "get_secret_value", code, "User: arn:aws:sts::1:assumed-role/x is not authorized"
    )
    with pytest.raises(MerchantMisconfigured) as caught:
        secrets.read(MCHID)
    assert str(caught.value) == f"secret {NAME}: {reason} ({code})"


def test_a_key_that_may_not_be_used_is_named_and_not_iam(stubbed: tuple[MerchantSecrets, Stubber]) -> None:
    secrets, stubber = stubbed
    stubber.add_client_error("get_secret_value", "AccessDeniedException", "Access to KMS is not allowed")
    with pytest.raises(MerchantMisconfigured) as caught:
        secrets.read(MCHID)
    assert str(caught.value) == (
        f"secret {NAME}: its KMS key may not be used: kms:Decrypt on that key, parameter SecretKmsKeyArn "
        "(AccessDeniedException)"
    )


@pytest.mark.parametrize(
    "code",
    [
        "InternalServiceError",
        "ThrottlingException",
        "ServiceUnavailable",
        "ExpiredTokenException",
        "Whatever",
        "",
    ],
)
def test_what_may_pass_is_unavailable_for_nothing_was_sent(
    stubbed: tuple[MerchantSecrets, Stubber], code: str
) -> None:
    secrets, stubber = stubbed
    stubber.add_client_error("get_secret_value", code)
    with pytest.raises(WeChatPayUnavailable) as caught:
        secrets.read(MCHID)
    assert str(caught.value) == f"secret {NAME}: Secrets Manager answered {code}"


def test_no_answer_from_secrets_manager_is_unavailable() -> None:
    nobody = client(
        endpoint_url="http://127.0.0.1:9", config=Config(connect_timeout=1, retries={"total_max_attempts": 1})
    )
    with pytest.raises(WeChatPayUnavailable, match=f"^secret {NAME}: EndpointConnectionError$"):
        MerchantSecrets("wechatpay/merchants/", nobody).read(MCHID)


def test_a_binary_secret_is_misconfigured(stubbed: tuple[MerchantSecrets, Stubber]) -> None:
    secrets, stubber = stubbed
    stubber.add_response("get_secret_value", {"SecretBinary": private_pem(rsa_key("merchant")).encode()})
    with pytest.raises(MerchantMisconfigured, match=f"^secret {NAME}: must be text, not binary$"):
        secrets.read(MCHID)


def test_a_malformed_secret_is_misconfigured(stubbed: tuple[MerchantSecrets, Stubber]) -> None:
    secrets, stubber = stubbed
    stubber.add_response("get_secret_value", {"SecretString": "{}"})
    with pytest.raises(MerchantMisconfigured, match=r"merchant_private_key: required"):
        secrets.read(MCHID)


def test_its_own_client_waits_no_longer_than_the_budget_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "cn-north-1")
    config = MerchantSecrets("x")._client.meta.config  # type: ignore[attr-defined]
    assert (config.connect_timeout, config.read_timeout) == (2, 3)
    assert config.retries == {"total_max_attempts": 2, "mode": "standard"}


def test_its_client_lists_no_directory_but_its_services(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "cn-north-1")
    listed: list[str] = []
    list_directory = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: listed.append(str(path)) or list_directory(path))
    MerchantSecrets("x")
    assert {Path(path).name for path in listed} == {"secretsmanager"}
