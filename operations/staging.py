"""Writing a secret so that AWSCURRENT is never a value nobody has proven.

A new version waits as AWSPENDING while it is proven, and becomes AWSCURRENT or loses its label. The very
first version cannot wait: Secrets Manager makes it AWSCURRENT whatever is asked for, so it is proven before
it is written.
Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
"""

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.errors import CommandError, error_code
from operations.target import Target

CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
type Value = Mapping[str, Any]


class StagedSecret:
    """One secret and its versions.

    Args:
        client: a boto3 Secrets Manager client.
    """

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = name

    def describe(self) -> dict[str, Any] | None:
        """Return the secret without its value; None when there is none.

        Raises:
            CommandError: it is scheduled for deletion.
        """
        try:
            described: dict[str, Any] = self._client.describe_secret(SecretId=self.name)
        except ClientError as exc:
            if error_code(exc) == "ResourceNotFoundException":
                return None
            raise
        if described.get("DeletedDate"):
            raise CommandError(
                f"secret {self.name} is scheduled for deletion: aws secretsmanager restore-secret"
            )
        return described

    def decryption(self) -> str:
        """Return the permission that reading it needs besides, when its key is a customer's; else nothing."""
        try:
            key = (self.describe() or {}).get("KmsKeyId") or ""
        except (ClientError, BotoCoreError):
            return " and, when its key is your own, for kms:Decrypt"
        return (
            f" and for kms:Decrypt of {key}" if key and not key.endswith("alias/aws/secretsmanager") else ""
        )

    def text(self, **version: str) -> str | None:
        """Return a version's text, by default the current one's; None when there is none."""
        try:
            text: str | None = self._client.get_secret_value(SecretId=self.name, **version).get(
                "SecretString"
            )
        except ClientError as exc:
            if error_code(exc) == "ResourceNotFoundException":
                return None
            raise
        return text

    def value(self, **version: str) -> dict[str, Any] | None:
        """Return a version's fields; None when there are none."""
        try:
            fields = json.loads(self.text(**version) or "")
        except ValueError:
            return None
        return fields if isinstance(fields, dict) else None

    def version(self, stage: str) -> str | None:
        """Return the id of the version that carries a staging label."""
        stages: dict[str, list[str]] = (self.describe() or {}).get("VersionIdsToStages") or {}
        return next((version for version, labels in stages.items() if stage in labels), None)

    def store(
        self, value: Value, prove: Callable[[dict[str, Any]], None], say: Callable[[str], None]
    ) -> None:
        """Write a value, or rotate to it.

        Args:
            prove: raises when the value does not work; given what was read back, where that is possible.
            say: called with each step, in words.

        Raises:
            Whatever `prove` raises, after the pending version lost its label; the current one is untouched.
        """
        current = self.version(CURRENT)
        if current is None or self.value() is None:
            prove(dict(value))
            self._write_first(value)
            say(f"written as {CURRENT}: {self.name}")
        elif self.value() == value:
            prove(dict(value))
            say(f"unchanged: {self.name} holds exactly this already")
        else:
            self._rotate(current, value, prove, say)

    def replace(self, text: str) -> None:
        """Write a value as it is, unproven: of a local stack, whose keys the sandbox has just changed."""
        self._client.put_secret_value(
            SecretId=self.name, SecretString=text, ClientRequestToken=str(uuid.uuid4())
        )

    def tag(self, tags: list[dict[str, str]]) -> None:
        """Set tags of the secret."""
        self._client.tag_resource(SecretId=self.name, Tags=tags)

    def _write_first(self, value: Value) -> None:
        text = json.dumps(value)
        if self.describe() is None:
            self._client.create_secret(
                Name=self.name,
                SecretString=text,
                ClientRequestToken=str(uuid.uuid4()),
                Description="WeChat Pay merchant credentials 微信支付商户凭证",
            )
        else:
            self.replace(text)

    def _rotate(
        self, current: str, value: Value, prove: Callable[[dict[str, Any]], None], say: Callable[[str], None]
    ) -> None:
        if left_over := self.version(PENDING):
            say(f"dropping {PENDING} of a rotation that was not finished")
            self._drop(left_over)
        pending = str(uuid.uuid4())
        try:
            self._client.put_secret_value(
                SecretId=self.name,
                SecretString=json.dumps(value),
                ClientRequestToken=pending,
                VersionStages=[PENDING],
            )
            say(f"staged as {PENDING}")
            prove(self.value(VersionId=pending) or {})
            self._promote(pending, current)
        except BaseException:
            self._roll_back(pending, say)
            raise
        say(f"now {CURRENT}; the version before it is AWSPREVIOUS. Warm functions follow within 300 s")

    def _promote(self, pending: str, current: str) -> None:
        """Move AWSCURRENT from exactly the version seen before: nobody else's rotation is overwritten."""
        try:
            self._client.update_secret_version_stage(
                SecretId=self.name,
                VersionStage=CURRENT,
                MoveToVersionId=pending,
                RemoveFromVersionId=current,
            )
        except (ClientError, BotoCoreError):
            # An answer lost on its way: the label may have moved.
            if self.version(CURRENT) != pending:
                raise
        if self.version(PENDING) == pending:
            self._drop(pending)

    def _drop(self, version: str) -> None:
        self._client.update_secret_version_stage(
            SecretId=self.name, VersionStage=PENDING, RemoveFromVersionId=version
        )

    def _roll_back(self, pending: str, say: Callable[[str], None]) -> None:
        try:
            if self.version(CURRENT) == pending:
                say(f"{CURRENT} is the new version; it stays {PENDING} too until the next run 新版本已生效")
                return
            if self.version(PENDING) == pending:
                self._drop(pending)
            say(f"rolled back: {CURRENT} is what it was 已回滚，当前版本未变")
        except (ClientError, BotoCoreError) as exc:
            say(
                f"look which version is {CURRENT} before revoking any ({type(exc).__name__}) 请先核对当前版本"
            )


def merchant_secret(target: Target, mchid: str) -> StagedSecret:
    """Return the secret in which the stack looks for this merchant."""
    return StagedSecret(target.client("secretsmanager"), f"{target.function.secret_prefix}{mchid}")
