import json
import threading
from typing import Any

import pytest
from cryptography import x509
from wechatpay.credentials import Credentials, parse
from wechatpay.errors import NoAnswer, WeChatPayUnavailable
from wechatpay.merchant import REFRESH_SECONDS, SECRET_SECONDS, Merchant

from tests.unit.wechatpay.material import (
    MCHID,
    NOW,
    PUBLIC_KEY_ID,
    certificate,
    certificate_pem,
    secret,
)

NO_KEYS = {"wechatpay_public_key_id": ..., "wechatpay_public_key": ...}
A1, B2 = certificate("certified", 0xA1), certificate("other", 0xB2)


class World:
    """A secret that can change, a clock that can be moved, and counts of reads and downloads."""

    def __init__(self, **changes: Any) -> None:
        self.now = NOW
        self.reads = 0
        self.downloads = 0
        self.offered: tuple[x509.Certificate, ...] = ()
        self.store(**changes)
        self.broken: Exception | None = None
        self.merchant = Merchant(self.read, lambda: self.now)

    def store(self, **changes: Any) -> None:
        self.stored = secret(**changes)

    def read(self) -> Credentials:
        self.reads += 1
        if self.broken:
            raise self.broken
        return parse(json.dumps(self.stored), MCHID)

    def download(self) -> tuple[x509.Certificate, ...]:
        self.downloads += 1
        return self.offered


@pytest.fixture
def world() -> World:
    """One whose secret is sound and has WeChat Pay's public key."""
    return World()


def test_the_secret_is_read_once_and_kept_less_than_300_seconds(world: World) -> None:
    assert SECRET_SECONDS == 300
    first = world.merchant.credentials
    world.now += 299.9
    assert world.merchant.credentials is first
    assert world.reads == 1
    world.now += 0.1
    assert world.merchant.credentials is not first
    assert world.reads == 2


def test_a_clock_set_back_makes_the_secret_old(world: World) -> None:
    _ = world.merchant.credentials
    world.now -= 1
    _ = world.merchant.credentials
    assert world.reads == 2


def test_the_keyring_grows_old_with_the_secret(world: World) -> None:
    assert world.merchant.keyring.preferred == PUBLIC_KEY_ID
    world.store(wechatpay_public_key_id="PUB_KEY_ID_02")
    world.now += 300
    assert world.merchant.keyring.preferred == "PUB_KEY_ID_02"
    assert world.merchant.keyring.get(PUBLIC_KEY_ID) is None


def test_a_secret_that_cannot_be_read_again_is_not_used_longer(world: World) -> None:
    _ = world.merchant.credentials
    world.now += 300
    world.broken = WeChatPayUnavailable("no answer")
    with pytest.raises(WeChatPayUnavailable):
        _ = world.merchant.credentials


def test_a_key_at_hand_proves_a_reply_although_the_secret_has_just_aged(world: World) -> None:
    _ = world.merchant.credentials
    world.now += 300
    world.broken = WeChatPayUnavailable("no answer")
    assert world.merchant.known(PUBLIC_KEY_ID) is not None
    assert world.merchant.known("AB") is None
    assert world.reads == 1


def test_a_forced_reread_takes_what_is_stored_now_key_and_serial_together(world: World) -> None:
    _ = world.merchant.credentials
    world.store(merchant_serial_no="AB" * 20)
    assert world.merchant.reread().signer.serial_no == "AB" * 20
    assert world.merchant.credentials.signer.serial_no == "AB" * 20
    assert world.reads == 2


def test_a_failed_reread_leaves_what_was_there(world: World) -> None:
    before = world.merchant.credentials
    world.broken = WeChatPayUnavailable("no answer")
    with pytest.raises(WeChatPayUnavailable):
        world.merchant.reread()
    assert world.merchant.credentials is before


def test_a_reread_starts_the_300_seconds_again(world: World) -> None:
    _ = world.merchant.credentials
    world.now += 200
    world.merchant.reread()
    world.now += 200
    _ = world.merchant.credentials
    assert world.reads == 2


def test_for_an_unknown_serial_the_secret_is_read_at_most_once_a_minute(world: World) -> None:
    assert REFRESH_SECONDS == 60
    _ = world.merchant.credentials
    for _ in range(50):
        world.merchant.reread_for_unknown_serial()
    assert world.reads == 2
    world.now += 59.9
    world.merchant.reread_for_unknown_serial()
    assert world.reads == 2
    world.now += 0.1
    world.merchant.reread_for_unknown_serial()
    assert world.reads == 3


def test_a_clock_set_back_does_not_hold_the_limit_for_ever(world: World) -> None:
    _ = world.merchant.credentials
    world.merchant.reread_for_unknown_serial()
    world.now -= 3600
    world.merchant.reread()
    reads = world.reads
    world.merchant.reread_for_unknown_serial()
    assert world.reads == reads + 1


def test_the_limit_holds_while_rereading_fails(world: World) -> None:
    _ = world.merchant.credentials
    world.broken = WeChatPayUnavailable("no answer")
    with pytest.raises(WeChatPayUnavailable):
        world.merchant.reread_for_unknown_serial()
    world.merchant.reread_for_unknown_serial()
    assert world.reads == 2


def test_a_forced_reread_is_not_limited_in_time(world: World) -> None:
    world.merchant.reread_for_unknown_serial()
    world.merchant.reread()
    world.merchant.reread()
    assert world.reads == 3


def test_downloaded_certificates_join_the_keyring_and_outlive_a_reread() -> None:
    world = World(**NO_KEYS)
    world.offered = (A1, B2)
    assert world.merchant.keyring.preferred is None
    world.merchant.download_certificates(world.download)
    assert set(world.merchant.keyring.keys) == {"A1", "B2"}
    world.merchant.reread()
    assert set(world.merchant.keyring.keys) == {"A1", "B2"}


def test_downloaded_certificates_join_those_of_the_secret() -> None:
    world = World(**NO_KEYS, wechatpay_certificates=[certificate_pem(A1)])
    world.offered = (B2,)
    world.merchant.download_certificates(world.download)
    assert set(world.merchant.keyring.keys) == {"A1", "B2"}


def test_a_merchant_of_the_public_key_downloads_nothing(world: World) -> None:
    world.merchant.download_certificates(world.download)
    assert world.downloads == 0


def test_a_merchant_in_the_middle_of_migrating_may_download() -> None:
    world = World(wechatpay_certificates=[certificate_pem(A1)])
    world.offered = (B2,)
    world.merchant.download_certificates(world.download)
    assert set(world.merchant.keyring.keys) == {"A1", "B2", PUBLIC_KEY_ID}
    assert world.merchant.keyring.preferred == PUBLIC_KEY_ID


def test_certificates_are_downloaded_at_most_once_a_minute() -> None:
    world = World(**NO_KEYS)

    def failing() -> tuple[x509.Certificate, ...]:
        world.downloads += 1
        raise NoAnswer("silence")

    with pytest.raises(NoAnswer):
        world.merchant.download_certificates(failing)
    for _ in range(50):
        world.merchant.download_certificates(failing)
    world.now += 59.9
    world.merchant.download_certificates(failing)
    assert world.downloads == 1
    world.now += 0.1
    world.merchant.download_certificates(world.download)
    assert world.downloads == 2


def test_a_new_merchant_key_may_query_at_once() -> None:
    world = World(**NO_KEYS)
    world.merchant.download_certificates(world.download)
    world.merchant.reread()
    world.merchant.download_certificates(world.download)
    assert world.downloads == 1
    world.store(**NO_KEYS, merchant_serial_no="AB" * 20)
    world.merchant.reread()
    world.merchant.download_certificates(world.download)
    assert world.downloads == 2


def test_many_threads_make_one_download_and_all_see_its_keys() -> None:
    world = World(**NO_KEYS)
    started, release = threading.Event(), threading.Event()
    seen: list[str | None] = []

    def slow() -> tuple[x509.Certificate, ...]:
        world.downloads += 1
        started.set()
        release.wait(5)
        return (A1,)

    def want() -> None:
        world.merchant.download_certificates(slow)
        seen.append(world.merchant.keyring.preferred)

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert started.wait(5)
    release.set()
    for thread in threads:
        thread.join()
    assert world.downloads == 1
    assert seen == ["A1"] * 8


def test_many_threads_read_an_old_secret_once(world: World) -> None:
    threads = [threading.Thread(target=lambda: world.merchant.credentials) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.reads == 1


def test_an_expired_certificate_leaves_the_keyring_at_the_next_read() -> None:
    soon = certificate("certified", 0xA1, days_after=1)
    world = World(**NO_KEYS, wechatpay_certificates=[certificate_pem(soon)])
    assert world.merchant.keyring.preferred == "A1"
    world.now += 86400 + 1
    assert world.merchant.keyring.preferred is None
