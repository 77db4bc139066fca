"""The same world, driven over HTTP and as a process of its own."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from wechatpay_sandbox import Simulator
from wechatpay_sandbox.fault_kinds import KINDS


@pytest.fixture
def control(sim):
    def call(method, path, body=None, **options):
        return requests.request(method, sim.control_url + path, json=body, timeout=10, **options)

    return call


def test_an_order_is_opened_seen_and_settled_over_http(sim, merchant, control, number):
    opened = control("PUT", f"/orders/{number.replace('|', '%7C')}", {"debit_after": None})
    assert (opened.status_code, opened.json()["out_order_no"]) == (200, number)
    merchant.complete(number, merchant.body(opened.json()["finish_ticket"]))
    entry = control("GET", f"/orders/{number}").json()
    assert (entry["state"], entry["accepted"], entry["total_amount"]) == ("FINISHED", 1, 1200)
    assert entry in control("GET", "/ledger").json()
    assert control("GET", "/requests", params={"out_order_no": number}).json()[-1]["verified"] is True


def test_someone_else_can_settle_an_order_over_http(control, opened):
    control("POST", f"/orders/{opened}/settle", {"finish_type": 1})
    assert control("GET", f"/orders/{opened}").json()["state"] == "REVOKED"


def test_faults_are_planned_listed_and_forgotten_over_http(merchant, control, opened):
    plan = {"out_order_no": opened, "operation": "query", "fault": "system_error", "times": 2}
    assert control("POST", "/faults", plan).json() == [plan]
    assert merchant.query(opened).status_code == 500
    assert control("GET", "/faults").json() == [plan | {"times": 1}]
    assert control("DELETE", "/faults").json() == []
    assert merchant.query(opened).status_code == 200


def test_keys_hosts_latency_clock_and_chaos_are_driven_over_http(as_merchant):
    with Simulator(keys="certificate") as simulator:

        def put(path, body, method="PUT"):
            return requests.request(method, simulator.control_url + path, json=body, timeout=10).json()

        assert "wechatpay_public_key_id" not in put("/secret", None, "GET")
        assert "wechatpay_public_key_id" in put("/keys", {"mode": "both"})
        serial = put("/merchant-key", None, "POST")["merchant_serial_no"]
        assert serial == simulator.secret()["merchant_serial_no"]
        assert len(put("/platform-certificate", None, "POST")["wechatpay_certificates"]) == 2
        assert put("/merchant-certificate", None, "GET").startswith("-----BEGIN CERTIFICATE")
        assert put("/latency", {"seconds": 0.001}) == {"latency": 0.001}
        assert put("/clock", {"advance": 5}, "POST")["error"]
        assert put("/clock", {"seconds": 5}, "POST") == {"offset": 5.0}
        assert put("/chaos", {"rate": 1, "kinds": ["rate_limited"]})["kinds"] == ["rate_limited"]
        assert as_merchant(simulator).send("GET", "/v3/certificates").status_code == 429
        assert [host["up"] for host in put("/hosts/0", {"up": False})] == [False, True]
        assert [host["up"] for host in put("/hosts/0", {"up": True})] == [True, True]


def test_requests_are_numbered_and_carry_their_answers(merchant, control, opened):
    merchant.query(opened)
    last = control("GET", "/requests").json()[-1]
    merchant.query(opened)
    (newer,) = control("GET", "/requests", params={"after": last["number"]}).json()
    assert newer["number"] == last["number"] + 1
    assert "finish_ticket" in newer["reply"]["body"]
    assert newer["reply"]["headers"]["Wechatpay-Signature"]


def test_old_merchant_keys_are_dropped_over_http(as_merchant):
    with Simulator() as simulator:
        before = as_merchant(simulator)
        simulator.open_order("ONE")
        requests.post(f"{simulator.control_url}/merchant-key", json={"keep_old": True}, timeout=10)
        assert before.query("ONE").status_code == 200
        left = requests.delete(f"{simulator.control_url}/merchant-key/old", timeout=10).json()
        assert left == simulator.secret()
        assert before.query("ONE").status_code == 401


def test_control_is_there_while_both_hosts_are_down(as_merchant):
    with Simulator() as simulator:
        for index in (0, 1):
            simulator.set_host(index, up=False)
        reply = requests.put(f"{simulator.control_url}/hosts/0", json={"up": True}, timeout=10)
        assert reply.json()[0] == {"host": simulator.hosts[0], "up": True}


def test_control_also_answers_on_the_hosts(sim):
    assert requests.get(f"{sim.hosts[0]}/simulator/ledger", timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/orders/A1", {"state": "OPEN"}, 400),
        ("POST", "/faults", {"fault": "nonsense"}, 400),
        ("POST", "/faults", {}, 400),
        ("POST", "/faults", [], 400),
        ("PUT", "/keys", {"mode": "none"}, 400),
        ("PUT", "/hosts/7", {"up": True}, 400),
        ("PUT", "/chaos", {"rate": 2}, 400),
        ("GET", "/orders/NOBODYS", None, 404),
        ("GET", "/nowhere", None, 404),
    ],
)
def test_a_mistake_is_answered_with_its_reason(control, method, path, body, status):
    reply = control(method, path, body)
    assert reply.status_code == status
    assert reply.json()["error"]


def test_a_web_page_cannot_drive_the_simulator(control):
    assert control("GET", "/secret", headers={"Origin": "https://example.com"}).status_code == 403


def test_latency_is_added_to_every_reply_and_taken_away_again(sim, merchant, opened):
    sim.set_latency(10)
    with pytest.raises(requests.ReadTimeout):
        merchant.send("GET", "/v3/certificates", timeout=0.2)
    sim.set_latency(0)
    assert merchant.query(opened).status_code == 200


def test_over_tls_the_hosts_are_trusted_through_the_given_authority(as_merchant):
    with Simulator(tls=True) as simulator:
        merchant = as_merchant(simulator)
        with pytest.raises(requests.exceptions.SSLError):
            merchant.send("GET", "/v3/certificates")
        merchant.session.verify = simulator.ca_file
        merchant.verify(merchant.send("GET", "/v3/certificates"))
        assert Path(simulator.ca_file).read_bytes().startswith(b"-----BEGIN CERTIFICATE")


def test_a_port_is_kept_while_its_host_is_down_and_given_back_at_the_end():
    with Simulator() as first:
        port = int(first.hosts[0].rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), Simulator(port=port):
            pass
        first.set_host(0, up=False)
        with pytest.raises(OSError, match="in use"), socket.socket() as another:
            another.bind(("127.0.0.1", port))
    with Simulator(port=port) as second:
        assert second.hosts[0] == first.hosts[0]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_process_prints_its_addresses_and_ends_on_a_signal(stop):
    command = [sys.executable, "-m", "wechatpay_sandbox", "--debit-after", "never", "--keys", "both"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        ready = json.loads(process.stdout.readline())
        assert requests.get(f"{ready['control']}/ledger", timeout=10).json() == []
        assert len(ready["hosts"]) == 2
        process.send_signal(stop)
        assert process.wait(timeout=10) == 0
        assert process.stdout.read() == b""


def test_an_idle_connection_is_closed_as_wechat_pay_closes_it():
    with Simulator(keep_alive=0.05) as simulator:
        host, port = simulator.hosts[0].removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"GET /v3/certificates HTTP/1.1\r\nHost: x\r\n\r\n")
            reply = b"".join(iter(lambda: connection.recv(65536), b""))
    assert reply.startswith(b"HTTP/1.1 400")
    assert b"connection: close" not in reply.lower()


def test_it_shares_no_code_with_what_it_tests():
    program = "import wechatpay_sandbox.__main__, sys; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    rooms = {path.name for path in Path().iterdir()} - {"simulator"}
    product = rooms | {path.name for path in Path("functions").iterdir()} | {"wechatpay", "invocation"}
    assert not product & {name.split(".")[0] for name in loaded.split()}


def test_the_documented_table_of_faults_is_the_one_it_prints():
    command = [sys.executable, "-m", "wechatpay_sandbox", "faults"]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert all(f"`{name}`" in table for name in KINDS)
    assert table in Path("docs/simulator.md").read_text(encoding="utf-8")


def test_both_languages_show_the_same_faults():
    english, chinese = (
        Path(f"docs/simulator{language}.md").read_text(encoding="utf-8").splitlines()
        for language in ("", ".zh-CN")
    )
    faults = [
        [row.rpartition(" | ")[0] for row in page if row.startswith(tuple(f"| `{name}` |" for name in KINDS))]
        for page in (english, chinese)
    ]
    assert faults[0] == faults[1]
    assert len(faults[0]) == len(KINDS)
