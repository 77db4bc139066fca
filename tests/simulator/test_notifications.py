"""Notifications as a merchant who knows only the documents reads them: signature first, then content."""

import base64
import itertools
import json
import time
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import requests
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from wechatpay_sandbox import APPID, MCHID, SERVICE_ID, Simulator
from wechatpay_sandbox.core import Core
from wechatpay_sandbox.keys import Keys
from wechatpay_sandbox.notifications import Notification
from wechatpay_sandbox.orders import Orders

from tests.notify_url import notify_url


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(debit_after=None) as running:
        running.open_order("paid", state="USER_PAID", finish_type=2, total_amount=1200)
        yield running


def prove(simulator: Simulator, notification: Notification) -> None:
    key: Any = load_pem_public_key(simulator.secret()["wechatpay_public_key"].encode())
    timestamp, nonce = (notification.headers[f"Wechatpay-{name}"] for name in ("Timestamp", "Nonce"))
    assert abs(time.time() - int(timestamp)) <= 300
    assert notification.headers["Wechatpay-Serial"] == simulator.secret()["wechatpay_public_key_id"]
    signature = base64.b64decode(notification.headers["Wechatpay-Signature"])
    key.verify(
        signature, f"{timestamp}\n{nonce}\n".encode() + notification.body + b"\n", PKCS1v15(), SHA256()
    )


def unsealed(simulator: Simulator, notification: Notification) -> dict[str, Any]:
    sealed = json.loads(notification.body)["resource"]
    assert sealed["algorithm"] == "AEAD_AES_256_GCM"
    cipher = AESGCM(simulator.secret()["api_v3_key"].encode())
    text = base64.b64decode(sealed["ciphertext"])
    resource: dict[str, Any] = json.loads(
        cipher.decrypt(sealed["nonce"].encode(), text, sealed["associated_data"].encode())
    )
    return resource


def test_a_notification_of_smart_retail_says_what_a_query_would(simulator: Simulator):
    notification = simulator.paid_notification("paid")
    prove(simulator, notification)
    resource = unsealed(simulator, notification)
    assert json.loads(notification.body)["event_type"] == "PAYSCORE.USER_PAID"
    assert (resource["state"], resource["out_order_no"], resource["mchid"]) == ("USER_PAID", "paid", MCHID)
    assert (resource["total_amount"], len(resource["pay_succ_time"])) == (1200, 14)


def test_a_notification_of_serviceorder_has_its_collection(simulator: Simulator):
    notification = simulator.paid_notification("paid", "serviceorder")
    prove(simulator, notification)
    resource = unsealed(simulator, notification)
    assert (resource["state"], resource["collection"]["state"]) == ("DONE", "USER_PAID")
    assert resource["collection"]["paid_amount"] == resource["total_amount"] == 1200


@pytest.mark.parametrize("flaw", ["wrong-signature", "signtest"])
def test_a_notification_with_a_wrong_signature_is_not_proven(simulator: Simulator, flaw: Any):
    with pytest.raises((InvalidSignature, ValueError)):
        prove(simulator, simulator.paid_notification("paid", flaw=flaw))


@pytest.mark.parametrize("flaw", ["stale", "early", "unknown-serial"])
def test_what_is_out_of_its_time_or_names_no_key_cannot_be_proven(simulator: Simulator, flaw: Any):
    with pytest.raises(AssertionError):
        prove(simulator, simulator.paid_notification("paid", flaw=flaw))


def test_what_is_sealed_with_another_key_is_signed_and_cannot_be_opened(simulator: Simulator):
    notification = simulator.paid_notification("paid", flaw="other-key")
    prove(simulator, notification)
    with pytest.raises(InvalidTag):
        unsealed(simulator, notification)


def test_signed_again_it_is_the_same_notification_under_a_new_signature(simulator: Simulator):
    notification = simulator.paid_notification("paid")
    again = simulator.notifier.signed_again(notification)
    prove(simulator, again)
    assert again.body == notification.body
    assert again.headers["Wechatpay-Nonce"] != notification.headers["Wechatpay-Nonce"]


def test_a_notification_is_sent_to_an_address_on_this_machine_on_demand(simulator: Simulator):
    control = f"{simulator.control_url}/orders/paid/notice"
    with notify_url() as merchant:
        answer = requests.post(control, json={"url": merchant.url, "shape": "serviceorder"}, timeout=10)

    assert (answer.status_code, answer.json()["status"]) == (200, 204)
    assert merchant.arrived.get_nowait().path == "/notifications"
    elsewhere = requests.post(control, json={"url": "https://example.com/notifications"}, timeout=10)
    assert elsewhere.status_code == 400


def attempts(
    core: Core, answers: Iterator[int | None], clock: list[float]
) -> list[tuple[float, Notification]]:
    """When each attempt was made until nothing is left to send, and what was sent."""
    outbox, made = core.outbox, []
    start = clock[0]
    while (next_at := outbox.next_at()) is not None:
        clock[0] = max(clock[0], next_at)
        for outgoing in outbox.due(clock[0]):
            made.append((clock[0] - start, outgoing.notification))
            outbox.answered(outgoing, next(answers))
    return made


@pytest.fixture
def just_paid() -> tuple[Core, list[float]]:
    """An order that was just paid and that has a notify_url, in a world whose clock a test moves."""
    clock = [1_800_000_000.0]
    orders = Orders(MCHID, APPID, SERVICE_ID, 0.0, Random(1))
    core = Core(Keys(MCHID, "public_key"), orders, clock=lambda: clock[0], random=Random(1))
    order = orders.open("A1", clock[0], {"notify_url": "http://127.0.0.1:9/", "api": "serviceorder"})
    order.settle({"finish_type": 2, "total_amount": 700}, "merchant", clock[0])
    return core, clock


def test_an_unanswered_notification_is_sent_again_as_wechat_pay_does(just_paid: tuple[Core, list[float]]):
    core, clock = just_paid
    made = attempts(core, itertools.cycle([500, None, 404]), clock)
    gaps = [round(later - earlier) for (earlier, _), (later, _) in itertools.pairwise(made)]
    minutes = [3, 10, 20, 30, 30, 30, 60]
    hours = [3, 3, 3, 6, 6]
    assert gaps == [15, 15, 30, *(60 * each for each in minutes), *(3600 * each for each in hours)]
    assert len({notification.body for _, notification in made}) == 1
    assert len({notification.headers["Wechatpay-Nonce"] for _, notification in made}) == len(made) == 16
    stamps = [int(notification.headers["Wechatpay-Timestamp"]) for _, notification in made]
    assert [stamp - stamps[0] for stamp in stamps] == [round(at) for at, _ in made]
    assert core.outbox.sent[0].entry()["waiting"] is False


@pytest.mark.parametrize("answer", [200, 204])
def test_an_answered_notification_is_sent_no_more(just_paid: tuple[Core, list[float]], answer: int):
    core, clock = just_paid
    assert len(attempts(core, iter([500, answer]), clock)) == 2
    assert core.outbox.sent[0].entry()["answered"] == answer
