import itertools

import pytest
from cryptography.x509 import load_pem_x509_certificate
from wechatpay import smart_retail
from wechatpay.deadline import Deadline
from wechatpay.errors import (
    MerchantMisconfigured,
    NothingSent,
    ServiceError,
    Unverifiable,
    WeChatPayUnavailable,
)
from wechatpay.platform_certificates import PlatformCertificates
from wechatpay.transport import Transport
from wechatpay_sandbox import Simulator

from tests.unit.wechatpay.material import certificates_body, sealed
from tests.unit.wechatpay.merchant import WarmMerchant
from tests.unit.wechatpay.raw_server import RawServer, answering, http

CERTIFICATES = "GET /v3/certificates"
QUERY = "GET /v3/payscore/smartretail-orders"


def downloading(world: Simulator) -> WarmMerchant:
    """A merchant whose secret holds no key of WeChat Pay."""
    return WarmMerchant(
        world, wechatpay_certificates=..., wechatpay_public_key_id=..., wechatpay_public_key=...
    )


def keys_of(merchant: WarmMerchant) -> PlatformCertificates:
    return PlatformCertificates(merchant.signed_transport, merchant.simulator.hosts, Deadline(20.0))


def test_certificates_are_downloaded_once_and_then_prove_the_replies(
    certifying: Simulator, order_no: str
) -> None:
    certifying.open_order(order_no)
    merchant = downloading(certifying)
    for _ in range(2):
        assert smart_retail.query(merchant.client(), merchant.key(order_no)).state == "USER_ACCEPTED"
    assert merchant.sent() == [CERTIFICATES, QUERY, QUERY]
    serial = certifying.requests(order_no)[-1]["headers"]["Wechatpay-Serial"]
    assert serial == merchant.merchant.keyring.preferred


def test_a_merchant_of_the_public_key_downloads_nothing(simulator: Simulator, order_no: str) -> None:
    simulator.open_order(order_no)
    merchant = WarmMerchant(simulator)
    smart_retail.query(merchant.client(), merchant.key(order_no))
    assert merchant.sent() == [QUERY]


def test_certificates_of_the_secret_need_no_download(certifying: Simulator, order_no: str) -> None:
    certifying.open_order(order_no)
    merchant = WarmMerchant(certifying)
    smart_retail.query(merchant.client(), merchant.key(order_no))
    assert merchant.sent() == [QUERY]


def test_without_certificates_the_merchant_must_use_the_public_key(simulator: Simulator) -> None:
    merchant = downloading(simulator)
    with pytest.raises(MerchantMisconfigured, match="RESOURCE_NOT_EXISTS"):
        smart_retail.query(merchant.client(), merchant.key("any"))
    assert merchant.sent() == [CERTIFICATES]


def test_no_order_is_sent_while_no_reply_could_be_proven(simulator: Simulator, order_no: str) -> None:
    simulator.open_order(order_no)
    merchant = downloading(simulator)
    with pytest.raises(MerchantMisconfigured):
        smart_retail.complete(merchant.client(), merchant.key(order_no), {"finish_type": 1})
    assert simulator.requests(order_no) == []


def test_a_merchant_without_permission_is_misconfigured(certifying: Simulator) -> None:
    certifying.script(operation="certificates", fault="no_auth")
    merchant = downloading(certifying)
    with pytest.raises(MerchantMisconfigured, match="NO_AUTH"):
        smart_retail.query(merchant.client(), merchant.key("any"))


def test_a_signature_refused_after_a_reread_is_a_misconfigured_merchant(
    certifying: Simulator,
) -> None:
    certifying.script(operation="certificates", fault="sign_error", times=None)
    merchant = downloading(certifying)
    with pytest.raises(MerchantMisconfigured, match="SIGN_ERROR"):
        smart_retail.query(merchant.client(), merchant.key("any"))
    assert (merchant.reads, merchant.sent()) == (2, [CERTIFICATES])


def test_a_key_rotated_meanwhile_is_picked_up_on_the_first_refusal(order_no: str) -> None:
    with Simulator(keys="certificate", debit_after=None) as world:
        world.open_order(order_no)
        merchant = downloading(world)
        assert merchant.merchant.credentials.signer.serial_no
        world.rotate_merchant_key()
        merchant.store(wechatpay_certificates=...)
        assert smart_retail.query(merchant.client(), merchant.key(order_no)).state == "USER_ACCEPTED"
    assert (merchant.reads, merchant.sent()) == (2, [CERTIFICATES, CERTIFICATES, QUERY])


@pytest.mark.parametrize("fault", ["system_error", "unavailable", "rate_limited", "reset_after", "not_json"])
def test_a_download_that_fails_on_one_host_is_made_from_the_other(
    certifying: Simulator, order_no: str, fault: str
) -> None:
    certifying.open_order(order_no)
    certifying.script(operation="certificates", fault=fault)
    merchant = downloading(certifying)
    assert smart_retail.query(merchant.client(), merchant.key(order_no)).state == "USER_ACCEPTED"
    assert [each.host for each in merchant.exchanges[:2]] == certifying.hosts


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_page_in_place_of_the_certificates_says_nothing_of_the_merchant(
    certifying: Simulator, status: int
) -> None:
    page = {"status": status, "content": "<html>no</html>", "signed": False}
    certifying.script(operation="certificates", fault="reply", times=2, **page)
    merchant = downloading(certifying)
    with pytest.raises(NothingSent, match=f"HTTP {status}"):
        smart_retail.query(merchant.client(), merchant.key("any"))
    assert [each.host for each in merchant.exchanges] == certifying.hosts


def test_with_the_main_host_down_certificates_come_from_the_backup(
    certifying: Simulator, order_no: str
) -> None:
    certifying.open_order(order_no)
    certifying.set_host(0, up=False)
    merchant = downloading(certifying)
    assert smart_retail.query(merchant.client(), merchant.key(order_no)).state == "USER_ACCEPTED"


def test_a_failed_download_sends_nothing_and_is_tried_after_a_minute(
    certifying: Simulator, order_no: str
) -> None:
    certifying.open_order(order_no)
    certifying.script(operation="certificates", fault="system_error", times=2)
    merchant = downloading(certifying)
    with pytest.raises(NothingSent, match="SYSTEM_ERROR"):
        smart_retail.query(merchant.client(), merchant.key(order_no))
    for _ in range(3):
        with pytest.raises(NothingSent, match="asked for less than a minute ago"):
            smart_retail.query(merchant.client(), merchant.key(order_no))
    assert merchant.sent() == [CERTIFICATES] * 2
    merchant.later += 60
    assert smart_retail.query(merchant.client(), merchant.key(order_no)).state == "USER_ACCEPTED"


@pytest.mark.parametrize(
    "fault", ["wrong_signature", "unsigned", "unknown_serial", "stale_timestamp", "not_json"]
)
def test_certificates_in_a_reply_that_they_do_not_prove_are_not_learned(
    certifying: Simulator, fault: str
) -> None:
    certifying.script(operation="certificates", fault=fault, times=2)
    merchant = downloading(certifying)
    with pytest.raises(NothingSent):
        smart_retail.query(merchant.client(), merchant.key("any"))
    assert merchant.merchant.keyring.keys == {}


def test_certificates_sealed_with_another_key_are_not_learned(certifying: Simulator) -> None:
    merchant = downloading(certifying)
    merchant.store(wechatpay_certificates=..., api_v3_key="x" * 32)
    with pytest.raises(NothingSent, match="api_v3_key does not decrypt"):
        smart_retail.query(merchant.client(), merchant.key("any"))
    assert merchant.merchant.keyring.keys == {}


def test_a_stranger_who_sends_certificates_is_not_believed(certifying: Simulator) -> None:
    with RawServer(answering(http(certificates_body(sealed(b"anything"))))) as stranger:
        merchant = downloading(certifying)
        with pytest.raises(NothingSent):
            smart_retail.query(merchant.client(hosts=[stranger.url]), merchant.key("any"))
    assert merchant.merchant.keyring.keys == {}


def test_a_new_certificate_is_learned_from_the_first_reply_that_names_it(order_no: str) -> None:
    with Simulator(keys="certificate", debit_after=None) as world:
        world.open_order(order_no)
        merchant = downloading(world)
        smart_retail.query(merchant.client(), merchant.key(order_no))
        merchant.later += 60
        before = set(merchant.merchant.keyring.keys)
        world.rotate_platform_certificate()
        (new,) = {serial_of(pem) for pem in world.secret()["wechatpay_certificates"]} - before
        assert keys_of(merchant).find(new.lower()) is not None
    assert merchant.sent() == [CERTIFICATES, QUERY, CERTIFICATES]


def serial_of(pem: str) -> str:
    return f"{load_pem_x509_certificate(pem.encode()).serial_number:X}"


def test_the_whole_migration_is_followed_without_a_failed_call(order_no: str) -> None:
    with Simulator(keys="certificate", debit_after=None) as world:
        world.open_order(order_no)
        merchant = WarmMerchant(world)
        serials = []
        for mode, stored in itertools.product(("certificate", "both", "public_key"), (False, True)):
            world.set_keys(mode)
            if stored or mode == "public_key":
                merchant.store()
                merchant.later += 60
            assert smart_retail.query(merchant.client(), merchant.key(order_no)).state == "USER_ACCEPTED"
            serials.append(world.requests(order_no)[-1]["headers"]["Wechatpay-Serial"])
    assert not serials[0].startswith("PUB_KEY_ID_")
    assert serials[-1].startswith("PUB_KEY_ID_")


def test_a_reply_under_a_new_public_key_is_proven_by_one_read(order_no: str) -> None:
    with Simulator(keys="certificate", debit_after=None) as world:
        world.open_order(order_no)
        merchant = WarmMerchant(world)
        assert merchant.merchant.keyring.preferred
        world.set_keys("public_key")
        merchant.store()
        assert smart_retail.query(merchant.client(), merchant.key(order_no)).state == "USER_ACCEPTED"
    assert (merchant.reads, merchant.sent()) == (2, [QUERY])


def test_a_flood_of_bad_replies_causes_one_read_and_one_download(
    certifying: Simulator, order_no: str
) -> None:
    certifying.open_order(order_no)
    certifying.script(operation="query", fault="unknown_serial", times=20)
    merchant = WarmMerchant(certifying)
    for _ in range(10):
        with pytest.raises(Unverifiable, match="Wechatpay-Serial is unknown"):
            smart_retail.query(merchant.client(), merchant.key(order_no))
    assert merchant.reads == 2
    assert merchant.sent().count(CERTIFICATES) == 1
    assert merchant.sent().count(QUERY) == 20


def test_a_flood_of_wrong_signatures_makes_none(certifying: Simulator, order_no: str) -> None:
    certifying.open_order(order_no)
    certifying.script(operation="query", fault="wrong_signature", times=6)
    merchant = WarmMerchant(certifying)
    for _ in range(3):
        with pytest.raises(Unverifiable):
            smart_retail.query(merchant.client(), merchant.key(order_no))
    assert merchant.reads == 1
    assert CERTIFICATES not in merchant.sent()


@pytest.mark.parametrize("fault", ["reset_after", "system_error", "wrong_signature"])
def test_a_failure_while_finding_a_key_leaves_the_reply_unproven(
    certifying: Simulator, order_no: str, fault: str
) -> None:
    certifying.open_order(order_no)
    certifying.script(order_no, fault="unknown_serial")
    certifying.script(operation="certificates", fault=fault, times=2)
    merchant = WarmMerchant(certifying)
    assert merchant.merchant.keyring.preferred
    merchant.broken = MerchantMisconfigured("the secret is being edited")
    with pytest.raises((Unverifiable, ServiceError), match="Wechatpay-Serial is unknown"):
        smart_retail.complete(merchant.client(), merchant.key(order_no), {"finish_type": 1})
    assert merchant.reads == 2
    assert merchant.sent().count(CERTIFICATES) == 2


def test_a_secret_that_ages_during_a_call_does_not_hide_the_answer(
    simulator: Simulator, order_no: str
) -> None:
    ticket = simulator.open_order(order_no)["finish_ticket"]
    merchant = WarmMerchant(simulator, Transport())
    send = merchant.signed_transport._transport.send

    def aging(*arguments: object) -> object:
        reply = send(*arguments)  # type: ignore[arg-type]
        merchant.later += 300
        merchant.broken = WeChatPayUnavailable("Secrets Manager does not answer")
        return reply

    merchant.signed_transport._transport.send = aging  # type: ignore[method-assign,assignment]
    cancelled = {"finish_type": 1, "cancel_reason": "未取货", "total_amount": 0, "profit_sharing": False}
    parameters = cancelled | {"finish_ticket": ticket}
    assert smart_retail.complete(merchant.client(), merchant.key(order_no), parameters).order_id
    assert len(merchant.exchanges) == 1
