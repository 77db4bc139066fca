"""Learning the keys WeChat Pay signs with: from the secret, and for certificate merchants by download."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from .errors import (
    MerchantMisconfigured,
    NothingSent,
    ServiceError,
    SettlementError,
    Unverifiable,
    WeChatPayError,
)
from .keyring import Keyring
from .replies import problem_of
from .signed_transport import SignedTransport
from .transport import Reply
from .verification import NotVerified, verify

if TYPE_CHECKING:
    from cryptography import x509

# 404: WeChat Pay has no platform certificates for this merchant, so it must use the public key.
_LASTING = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)


class PlatformCertificates:
    """Finds the key a reply names.

    Args:
        signed_transport: makes the download.
        hosts: gives the base URLs to download from, in the order to try them.
        timeout: gives the seconds a download may take.
    """

    def __init__(
        self,
        signed_transport: SignedTransport,
        hosts: Callable[[], Sequence[str]],
        timeout: Callable[[], float],
    ) -> None:
        self._signed_transport = signed_transport
        self._merchant = signed_transport.merchant
        self._hosts = hosts
        self._timeout = timeout

    def find(self, serial: str) -> RSAPublicKey | None:
        """Return the key a reply names; when it is new, learn it within the merchant's limits.

        What fails on the way leaves the reply unproven, no more: it must not hide that an order was sent.
        """
        key = self._merchant.known(serial)
        for learn in (self._merchant.reread_for_unknown_serial, self._download):
            if key is None:
                with suppress(WeChatPayError, SettlementError):
                    learn()
                key = self._merchant.known(serial)
        return key

    def require_one(self) -> None:
        """Make sure there is a key to prove replies with before an order is sent.

        Raises:
            NothingSent: the platform certificates could not be had now.
            MerchantMisconfigured: WeChat Pay refuses the merchant, or has no certificates for it.
        """
        if self._merchant.keyring.preferred:
            return
        try:
            self._download_with_current_key()
        except WeChatPayError as exc:
            if _is_lasting(exc):
                raise MerchantMisconfigured(f"platform certificates: {exc}") from exc
            raise NothingSent(f"platform certificates: {exc}") from exc
        if not self._merchant.keyring.preferred:
            raise NothingSent("platform certificates: none valid, and asked for less than a minute ago")

    def _download_with_current_key(self) -> None:
        try:
            self._download()
        except ServiceError as exc:
            refused = self._merchant.credentials.signer.serial_no
            if (
                exc.problem.status != HTTPStatus.UNAUTHORIZED
                or self._merchant.reread().signer.serial_no == refused
            ):
                raise
            self._download()

    def _download(self) -> None:
        self._merchant.download_certificates(self._certificates)

    def _certificates(self) -> tuple[x509.Certificate, ...]:
        """Download the platform certificates from the first host that gives them."""
        failure: WeChatPayError = NothingSent("no host is configured")
        for host in self._hosts():
            try:
                return self._certificates_of(host)
            except WeChatPayError as exc:
                if _is_lasting(exc):
                    raise
                failure = exc
        raise failure

    def _certificates_of(self, host: str) -> tuple[x509.Certificate, ...]:
        """Download the platform certificates; one of them must prove the reply that brought them."""
        # Only merchants of platform certificates come here: the others start without it.
        from .certificates import CERTIFICATES_PATH, decrypted_certificates

        found: tuple[x509.Certificate, ...] = ()
        now = self._signed_transport.clock()

        def check(reply: Reply) -> None:
            nonlocal found
            try:
                found = decrypted_certificates(reply.body, self._merchant.credentials.api_v3_key)
            except ValueError as exc:
                raise NotVerified(str(exc)) from exc
            verify(reply.headers, reply.body, Keyring().with_certificates(found, now).get, now)

        reply, unproven = self._signed_transport.attempt(
            "GET", host, CERTIFICATES_PATH, b"", timeout=self._timeout(), check=check
        )
        if reply.status != HTTPStatus.OK:
            raise ServiceError(problem_of(reply, unproven))
        if unproven:
            raise Unverifiable(problem_of(reply, unproven))
        return found


def _is_lasting(error: WeChatPayError) -> bool:
    """Tell whether it stays until somebody changes something: a page without WeChat Pay's code may pass."""
    return isinstance(error, ServiceError) and error.problem.status in _LASTING and error.problem.code != ""
