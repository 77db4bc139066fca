"""Reading merchants' secrets from AWS Secrets Manager."""

from typing import Any, Protocol

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from . import aws
from .credentials import Credentials, parse
from .errors import MerchantMisconfigured, WeChatPayUnavailable

# Short, and one retry: this time comes out of the budget of the call to WeChat Pay.
_CONFIG = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2, "mode": "standard"})

# Errors that stay until somebody changes something. All others may pass.
_LASTING = {
    "ResourceNotFoundException": "there is no such secret",
    "AccessDeniedException": "the function may not read it (IAM)",
    "DecryptionFailure": "its KMS key does not decrypt it",
    "InvalidRequestException": "it is scheduled for deletion or has no current version",
    "InvalidParameterException": "its name is not valid",
    "ValidationException": "its name is not valid",
}
# "Access to KMS is not allowed": the secret may be read, but not decrypted with the key it is encrypted with.
_KEY_DENIED = "its KMS key may not be used: kms:Decrypt on that key, parameter SecretKmsKeyArn"


class _SecretsClient(Protocol):
    def get_secret_value(self, *, SecretId: str) -> Any:  # noqa: N803 - the SDK's name
        ...


class MerchantSecrets:
    """Reads `<prefix><mchid>`.

    Args:
        prefix: what the names of merchants' secrets start with.
        client: a Secrets Manager client; made when absent.
    """

    def __init__(self, prefix: str, client: _SecretsClient | None = None) -> None:
        self._prefix = prefix
        self._client = client or _secrets_manager()

    def read(self, mchid: str) -> Credentials:
        """Read and check the current version of one merchant's secret.

        Raises:
            MerchantMisconfigured: missing, not readable by this function, or malformed.
            WeChatPayUnavailable: Secrets Manager did not answer; nothing was sent to WeChat Pay.
        """
        name = f"{self._prefix}{mchid}"
        try:
            secret = self._client.get_secret_value(SecretId=name).get("SecretString")
        except ClientError as exc:
            error = exc.response.get("Error", {})
            code = error.get("Code", "")
            if code == "AccessDeniedException" and "Access to KMS" in error.get("Message", ""):
                raise MerchantMisconfigured(f"secret {name}: {_KEY_DENIED} ({code})") from exc
            if code in _LASTING:
                raise MerchantMisconfigured(f"secret {name}: {_LASTING[code]} ({code})") from exc
            raise WeChatPayUnavailable(f"secret {name}: Secrets Manager answered {code}") from exc
        except BotoCoreError as exc:
            raise WeChatPayUnavailable(f"secret {name}: {type(exc).__name__}") from exc
        if not isinstance(secret, str):
            raise MerchantMisconfigured(f"secret {name}: must be text, not binary")
        return parse(secret, mchid)


def _secrets_manager() -> _SecretsClient:
    client: _SecretsClient = aws.client("secretsmanager", _CONFIG)
    return client
