"""The control client, as another process uses it."""

import pytest
from wechatpay_sandbox import Simulator
from wechatpay_sandbox.client import Client, ControlError


@pytest.fixture
def client(sim):
    return Client(sim.control_url)


def test_an_order_with_an_awkward_number_is_opened_confirmed_and_read(client, number):
    client.open_order(number, state="CREATED", api="serviceorder")
    assert client.confirm(number)["state"] == "USER_ACCEPTED"
    assert client.order(number)["api"] == "serviceorder"
    assert number in [entry["out_order_no"] for entry in client.ledger()]


def test_a_serviceorder_is_paid_in_parts(client, number):
    client.open_order(number, api="serviceorder", state="FINISHED", finish_type=2, total_amount=300)
    assert client.pay(number, 100)["state"] == "FINISHED"
    paid = client.pay(number)
    assert (paid["state"], paid["charged"]) == ("USER_PAID", 300)


def test_a_fault_that_was_planned_strikes_and_is_in_the_record(client, merchant, opened):
    client.script(opened, "query", fault="system_error")
    assert merchant.query(opened).status_code == 500
    assert client.requests(opened)[-1]["fault"] == "system_error"


def test_faults_that_are_planned_are_listed_and_cleared(client, opened):
    client.script(opened, "query", fault="system_error")
    client.script(None, "query", fault="rate_limited")
    assert [each["fault"] for each in client.pending_faults()] == ["system_error", "rate_limited"]
    client.clear_faults(opened)
    assert [each["fault"] for each in client.pending_faults()] == ["rate_limited"]
    client.clear_faults()
    assert client.pending_faults() == []


def test_what_is_set_can_be_read_again():
    with Simulator() as simulator:
        client = Client(simulator.control_url)
        before = client.settings()
        client.set_host(0, up=False)
        client.set_latency(0.001)
        client.set_clock(-3)
        client.advance(60)
        client.purse("o-shopper", 5)
        client.tolerate("text.blank")
        now = client.settings()
        assert [host["up"] for host in now["hosts"]] == [False, True]
        assert (now["latency"], now["skew"], now["offset"]) == (0.001, -3, 60)
        assert (now["purses"], now["tolerated"]) == ({"o-shopper": 5}, ["text.blank"])
        assert not [value for value in now.values() if "PRIVATE" in str(value)]
        assert before["keys"] == "public_key"


def test_each_key_that_is_changed_comes_with_the_secret_to_store():
    with Simulator() as simulator:
        client = Client(simulator.control_url)
        old = client.settings()["merchant_serial_no"]
        assert (
            client.rotate_merchant_key()["merchant_serial_no"]
            == client.settings()["merchant_serial_no"]
            != old
        )
        assert "wechatpay_certificates" in client.set_keys("both")
        assert len(client.rotate_platform_certificate()["wechatpay_certificates"]) == 2
        assert client.settings()["keys"] == "both"


def test_a_mistake_is_an_error_that_says_why(client):
    with pytest.raises(ControlError, match="no rule is called 'nonsense'"):
        client.tolerate("nonsense")


def test_a_missing_sandbox_is_reported(client):
    with pytest.raises(ControlError, match="does not answer"):
        Client("http://127.0.0.1:9/simulator", timeout=1).ledger()
