"""One merchant as this process knows it: the current secret, every key WeChat Pay may sign with, and limits.

A wrong or missing key is cured by reading the secret again and, for merchants of platform certificates, by
downloading them again. Both are limited, so that a flood of bad replies makes no storm of either.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from .credentials import Credentials
from .keyring import Keyring

if TYPE_CHECKING:
    from cryptography import x509

SECRET_SECONDS = 300.0
REFRESH_SECONDS = 60.0


class _AtMostOnceIn:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last = float("-inf")

    def allows(self, now: float) -> bool:
        if 0 <= now - self._last < self._seconds:
            return False
        self._last = now
        return True


class Merchant:
    """The keys of one merchant, kept at most 300 s after they were read.

    Args:
        read: reads and checks the merchant's secret; see `MerchantSecrets.read` for what it raises.
        clock: UNIX seconds. Not the monotonic clock, which stands still while Lambda freezes a function.
    """

    def __init__(self, read: Callable[[], Credentials], clock: Callable[[], float] = time.time) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.RLock()
        self._credentials: Credentials | None = None
        self._read_at = float("-inf")
        self._downloaded: tuple[x509.Certificate, ...] = ()
        self._keyring = Keyring()
        self._reread_limit = _AtMostOnceIn(REFRESH_SECONDS)
        self._download_limit = _AtMostOnceIn(REFRESH_SECONDS)

    @property
    def credentials(self) -> Credentials:
        """The merchant's credentials, read again when older than 300 s. Raises as `MerchantSecrets.read`."""
        with self._lock:
            if self._credentials is None or not 0 <= self._clock() - self._read_at < SECRET_SECONDS:
                return self.reread()
            return self._credentials

    @property
    def keyring(self) -> Keyring:
        """Every key known now: of the secret and of the certificates downloaded since."""
        with self._lock:
            _ = self.credentials
            return self._keyring

    def known(self, serial: str) -> RSAPublicKey | None:
        """Return a key at hand, reading nothing: a reply is worth no less because the secret has aged."""
        with self._lock:
            return self._keyring.get(serial)

    def reread(self) -> Credentials:
        """Read the secret now, whatever is cached. Raises as `MerchantSecrets.read`."""
        with self._lock:
            before, self._credentials = self._credentials, self._read()
            self._read_at = self._clock()
            if before is not None and before.signer.serial_no != self._credentials.signer.serial_no:
                # What was refused to the old key says nothing of the new one.
                self._download_limit = _AtMostOnceIn(REFRESH_SECONDS)
            self._build_keyring()
            return self._credentials

    def reread_for_unknown_serial(self) -> None:
        """Read the secret now, but for this reason at most once a minute."""
        with self._lock:
            if self._reread_limit.allows(self._clock()):
                self.reread()

    def download_certificates(self, download: Callable[[], Sequence[x509.Certificate]]) -> None:
        """Learn platform certificates, at most once a minute and one download at a time.

        Does nothing for a merchant whose secret holds the WeChat Pay public key and no certificate.
        """
        with self._lock:
            credentials = self.credentials
            if credentials.public_key is not None and not credentials.certificates:
                return
            if self._download_limit.allows(self._clock()):
                self._downloaded = tuple(download())
                self._build_keyring()

    def _build_keyring(self) -> None:
        credentials = self._credentials
        if credentials is None:
            return
        keyring = Keyring().with_certificates((*credentials.certificates, *self._downloaded), self._clock())
        if credentials.public_key is not None and credentials.public_key_id is not None:
            keyring = keyring.with_public_key(credentials.public_key_id, credentials.public_key)
        self._keyring = keyring


class Merchants(dict[str, Merchant]):
    """The merchants this process has met, by mchid: each is made when it is first asked for.

    Args:
        read: reads the secret of a merchant; see `MerchantSecrets.read`.
        clock: as in `Merchant`.
    """

    def __init__(self, read: Callable[[str], Credentials], clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._read = read
        self._clock = clock

    def __missing__(self, mchid: str) -> Merchant:
        merchant = self[mchid] = Merchant(lambda: self._read(mchid), self._clock)
        return merchant
