"""--state survives a restart; the process prints each refusal."""

import gc
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from wechatpay_sandbox import Simulator


def test_keys_that_were_rotated_and_orders_are_there_after_a_restart(tmp_path, as_merchant):
    with Simulator(keys="both", state=tmp_path) as first:
        before = as_merchant(first)
        first.rotate_merchant_key(keep_old=True)
        first.rotate_platform_certificate()
        first.open_order("KEPT")
        secret = first.secret()
    with Simulator(keys="both", state=tmp_path) as second:
        assert second.secret() == secret
        assert len(secret["wechatpay_certificates"]) == 2
        for merchant in (before, as_merchant(second)):
            merchant.base_url = second.hosts[0]
            merchant.secret |= {"wechatpay_certificates": secret["wechatpay_certificates"]}
            reply = merchant.query("KEPT")
            assert reply.status_code == 200
            merchant.verify(reply)


def test_a_merchant_key_that_was_replaced_stays_refused_after_a_restart(tmp_path, as_merchant):
    with Simulator(state=tmp_path) as first:
        before = as_merchant(first)
        first.rotate_merchant_key()
    with Simulator(state=tmp_path) as second:
        before.base_url = second.hosts[0]
        assert before.query("ANY").status_code == 401
        assert second.requests()[-1]["refused"]["rule"] == "signature.serial_no"


@pytest.mark.parametrize("name", ["keys.json", "world.json"])
@pytest.mark.parametrize("text", ['{"mchid": "1900000001"}', "[]", "{", '{"orders": [{}]}'])
def test_a_state_directory_of_another_form_is_refused_in_words(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=f"{name} was not written by this release"):
        Simulator(state=tmp_path)


def test_the_state_of_the_world_is_there_after_a_restart(tmp_path):
    openid = "oEmpty"
    with Simulator(state=tmp_path, keys="both", appid="wxother", service_id="500009") as first:
        first.open_order("OWED", openid=openid, debit_after=0)
        first.purse(openid, 5)
        first.settle_elsewhere("OWED", total_amount=700)
        first.script("OWED", "query", fault="reply", times=3, status=418, code="TEAPOT")
        first.chaos(1.0, seed=7, kinds=[{"fault": "late_reply", "seconds": 0.25}])
        first.tolerate("text.*")
        first.set_clock(-3)
        first.advance(60)
        planned, ledger, secret = first.pending_faults(), first.ledger(), first.secret()
    with Simulator(state=tmp_path) as second:
        assert (second.pending_faults(), second.ledger(), second.secret()) == (planned, ledger, secret)
        assert ledger[0]["failed_debits"] == 1
        assert second.purse("oRich", 1) == {openid: 5, "oRich": 1}
        assert second.advance(0)["offset"] == 60
    with Simulator(state=tmp_path, tolerate=[], clock_skew=0.0, keys="certificate", appid="wxnew") as third:
        assert "wechatpay_public_key_id" not in third.secret()
        assert third.secret()["appid"] == "wxnew"
        assert not (tmp_path / "merchant" / "pub_key.pem").exists()


def test_a_start_and_an_end_change_nothing_of_the_saved_state(tmp_path):
    with Simulator(state=tmp_path) as first:
        first.open_order("A1", api="serviceorder", state="CREATED", notify_url="http://127.0.0.1:9/")
        first.confirm("A1")
        first.tolerate("text.*", "json.null")
        first.set_clock(-3)
    saved = json.loads((tmp_path / "world.json").read_text())
    assert (len(saved["tolerated"]), saved["clock_skew"], len(saved["notifications"])) == (4, -3, 1)
    with Simulator(state=tmp_path) as second:
        assert second.notifications("A1")[0]["event_type"] == "PAYSCORE.USER_CONFIRM"
    assert json.loads((tmp_path / "world.json").read_text()) == saved


def test_a_saved_tolerance_applies_until_others_are_given(tmp_path, as_merchant):
    lifted = "smartretail.complete.profit_sharing.required"
    for tolerate, status in (([lifted], 200), (None, 200), ([], 400)):
        with Simulator(state=tmp_path, tolerate=tolerate) as simulator:
            ticket = simulator.open_order("A1", replace=True)["finish_ticket"]
            merchant = as_merchant(simulator)
            reply = merchant.complete("A1", merchant.body(ticket, profit_sharing=...))
            assert reply.status_code == status


def test_chaos_goes_on_after_a_restart_where_it_was(tmp_path, as_merchant):
    def faults(simulator, calls):
        merchant = as_merchant(simulator)
        for _ in range(calls):
            merchant.query("A1")
        return [request["fault"] for request in simulator.requests("A1")]

    kinds = ["rate_limited", "system_error"]
    with Simulator(state=tmp_path) as first:
        first.open_order("A1")
        first.chaos(0.5, seed=3, kinds=kinds)
        seen = faults(first, 6)
    with Simulator(state=tmp_path) as second:
        seen += faults(second, 6)
    with Simulator() as another:
        another.open_order("A1")
        another.chaos(0.5, seed=3, kinds=kinds)
        assert faults(another, 12) == seen
    assert {"rate_limited", "system_error", None} == set(seen)


def test_the_merchants_files_follow_its_keys(tmp_path):
    with Simulator(state=tmp_path / "new") as simulator:
        files = simulator.merchant_files
        before = (files / "apiclient_key.pem").read_text()
        assert before == simulator.secret()["merchant_private_key"]
        new = simulator.rotate_merchant_key()
    assert (files / "apiclient_key.pem").read_text() == new["merchant_private_key"] != before
    for path in (files.parent, files, files / "apiclient_key.pem", tmp_path / "new" / "keys.json"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_authority_of_https_hosts_stays_the_same(tmp_path):
    authorities = []
    for _ in range(2):
        with Simulator(state=tmp_path, tls=True) as simulator:
            authorities.append(Path(simulator.ca_file).read_bytes())
            reply = requests.get(
                f"{simulator.hosts[0]}/v3/certificates", verify=simulator.ca_file, timeout=10
            )
            assert reply.headers["Request-ID"]
    assert authorities[0] == authorities[1]
    assert authorities[0].startswith(b"-----BEGIN CERTIFICATE")


@pytest.mark.parametrize("fault", ["silence", "slow_body", "late_reply"])
def test_the_end_leaves_no_task_behind_however_clients_were_left(as_merchant, caplog, fault):
    with Simulator() as simulator:
        merchant = as_merchant(simulator)
        simulator.open_order("A1")
        simulator.script("A1", "query", fault=fault)
        with pytest.raises((requests.Timeout, requests.ConnectionError)):
            merchant.send("GET", merchant.query_target("A1"), timeout=0.2)
        address = urlsplit(simulator.hosts[0])
        with socket.create_connection((address.hostname, address.port)) as half:
            half.sendall(b"POST /v3/payscore/serviceorder HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
            merchant.query("A1")
            simulator.set_host(0, up=False)
        merchant.session.close()
    del simulator
    gc.collect()
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


@pytest.mark.parametrize("quiet", [False, True])
def test_each_refusal_is_printed_in_one_line_unless_quiet(quiet):
    command = [sys.executable, "-m", "wechatpay_sandbox", *(["--quiet"] if quiet else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        ready = json.loads(process.stdout.readline())
        headers = {"Accept": "application/json", "Authorization": "Bearer me"}
        refused = requests.get(f"{ready['hosts'][0]}/v3/certificates", headers=headers, timeout=10)
        process.send_signal(signal.SIGTERM)
        printed = process.stderr.read()
    assert refused.status_code == 401
    if quiet:
        assert printed == ""
    else:
        assert printed.startswith(
            "refused 401 GET /v3/certificates authorization: signature.scheme: the header"
        )
        assert printed.count("\n") == 1
