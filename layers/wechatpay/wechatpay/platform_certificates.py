"""Learning the keys WeChat Pay signs with: from the secret, and for certificate merchants by download."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from .answer import Answer, unproven
from .deadline import Deadline
from .errors import MerchantMisconfigured, NothingSent, ServiceError, SettlementError, WeChatPayError
from .keyring import Keyring
from .signed_transport import Request, SignedTransport
from .verification import NotVerified, SignedMessage

if TYPE_CHECKING:
    from cryptography import x509

# 404: WeChat Pay has no platform certificates for this merchant, so it must use the public key.
_DOWNLOAD_SECONDS = 4.0
_LASTING = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)


class PlatformCertificates:
    """Finds the key a reply names.

    Args:
        signed_transport: makes the download.
        hosts: base URLs to download from, main host first.
        deadline: the time that downloads share with everything else.
    """

    def __init__(self, signed_transport: SignedTransport, hosts: Sequence[str], deadline: Deadline) -> None:
        self._signed_transport = signed_transport
        self._merchant = signed_transport.merchant
        self._hosts = hosts
        self._deadline = deadline

    def find(self, serial: str) -> RSAPublicKey | None:
        """Return the key a reply names; when it is new, learn it within the merchant's limits.

        What fails on the way leaves the reply unproven, no more: it must not hide that an order was sent.
        """
        if key := self._merchant.known(serial):
            return key
        with suppress(WeChatPayError, SettlementError):
            self._merchant.reread_for_unknown_serial()
        if key := self._merchant.known(serial):
            return key
        with suppress(WeChatPayError, SettlementError):
            self._download()
        return self._merchant.known(serial)

    def refresh(self) -> None:
        """Download certificates for a merchant that uses them, within its limit; failing changes nothing."""
        with suppress(WeChatPayError, SettlementError):
            self._download()

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
        for host in self._signed_transport.failed_hosts.last(self._hosts):
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

        timeout = min(_DOWNLOAD_SECONDS, self._deadline.remaining())
        reply, attempt = self._signed_transport.send(host, Request("GET", CERTIFICATES_PATH), timeout)
        now = self._signed_transport.clock()
        try:
            certificates = decrypted_certificates(reply.body, self._merchant.credentials.api_v3_key)
            signed = SignedMessage.parse(reply.headers, reply.body, now)
            signed.verify(Keyring().with_certificates(certificates, now).get(signed.serial))
        except (ValueError, NotVerified) as exc:
            self._signed_transport.record(attempt, exc)
            raise unproven(reply, exc) from exc
        self._signed_transport.record(attempt)
        Answer.of(reply)  # raises unless it is a 200
        return certificates


def _is_lasting(error: WeChatPayError) -> bool:
    """Tell whether it stays until somebody changes something: a page without WeChat Pay's code may pass."""
    return isinstance(error, ServiceError) and error.problem.status in _LASTING and error.problem.code != ""
