"""What --state keeps from one start to the next, and what the process says of a refusal."""

import json
import signal
import subprocess
import sys

import pytest
import requests
from wechatpay_sandbox import Simulator


def test_keys_that_were_rotated_and_orders_are_there_after_a_restart(tmp_path, as_merchant):
    with Simulator(keys="both", state=tmp_path) as first:
        before = as_merchant(first)
        first.rotate_merchant_key(keep_old=True)
        first.rotate_platform_certificate()
        first.open_order("KEPT")
        kept = first.secret()
    with Simulator(keys="both", state=tmp_path) as second:
        assert second.secret() == kept
        assert len(kept["wechatpay_certificates"]) == 2
        for merchant in (before, as_merchant(second)):
            merchant.base_url = second.hosts[0]
            merchant.secret |= {"wechatpay_certificates": kept["wechatpay_certificates"]}
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


def test_a_state_directory_of_another_form_is_refused_in_words(tmp_path):
    (tmp_path / "keys.json").write_text(json.dumps({"mchid": "1900000001"}))
    with pytest.raises(ValueError, match="was not written by this release"):
        Simulator(state=tmp_path)


@pytest.mark.parametrize("quiet", [False, True])
def test_the_process_says_each_refusal_in_one_line_unless_it_is_to_be_quiet(quiet):
    command = [sys.executable, "-m", "wechatpay_sandbox", *(["--quiet"] if quiet else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        ready = json.loads(process.stdout.readline())
        refused = requests.get(f"{ready['hosts'][0]}/v3/certificates?a=1", timeout=10)
        process.send_signal(signal.SIGTERM)
        said = process.stderr.read()
    assert refused.status_code == 401
    if quiet:
        assert said == ""
    else:
        assert said.startswith("refused 401 GET /v3/certificates authorization: signature.scheme: the header")
        assert said.count("\n") == 1
