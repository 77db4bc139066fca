"""The control client, as another process uses it."""

import pytest
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
    client.fault("system_error", out_order_no=opened, operation="query")
    assert merchant.query(opened).status_code == 500
    assert client.requests(opened)[-1]["fault"] == "system_error"


def test_a_mistake_is_an_error_that_says_why(client):
    with pytest.raises(ControlError, match="no rule is called 'nonsense'"):
        client.tolerate("nonsense")


def test_a_sandbox_that_is_not_there_is_said_so(client):
    with pytest.raises(ControlError, match="does not answer"):
        Client("http://127.0.0.1:9/simulator", timeout=1).ledger()
