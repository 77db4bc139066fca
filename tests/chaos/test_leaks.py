"""The search for secrets finds them: whole or in part, in every place, and shows none of them."""

import base64
import json
import secrets as randomness
from urllib.parse import quote

import pytest
from wechatpay_sandbox.fault_effects import PHONE
from wechatpay_sandbox.key_pairs import KeyPair
from wechatpay_sandbox.order import OPENID

from chaos.leaks import PIECE, Secrets, search

GIVEN = base64.b64encode(randomness.token_bytes(96)).decode()
FETCHED = base64.b64encode(randomness.token_bytes(96)).decode()
SIGNATURE = base64.b64encode(randomness.token_bytes(256)).decode()
ANSWERED = base64.b64encode(randomness.token_bytes(256)).decode()
API_V3_KEY = randomness.token_hex(16)
PRIVATE_KEY = KeyPair.certified("1900000001").private_pem


@pytest.fixture(scope="module")
def secrets():
    known = Secrets(given={GIVEN})
    known.add_merchant({"merchant_private_key": PRIVATE_KEY, "api_v3_key": API_V3_KEY})
    authorization = f'WECHATPAY2-SHA256-RSA2048 mchid="1900000001",signature="{SIGNATURE}"'
    query = {"headers": {"Wechatpay-Signature": ANSWERED}, "body": json.dumps({"finish_ticket": FETCHED})}
    known.add_request({"headers": {"Authorization": authorization}, "body": "", "reply": query})
    known.add_request({"headers": {}, "body": json.dumps({"finish_ticket": GIVEN}), "reply": None})
    return known


def test_every_secret_of_the_run_is_known(secrets):
    assert len(secrets) == 6


@pytest.mark.parametrize(
    "text",
    [
        f'{{"ticket": "{FETCHED}"}}',
        f"...{FETCHED[30:53]}...",
        f"sent {GIVEN}",
        f"signature {SIGNATURE}",
        ANSWERED[-2 * PIECE :],
        f"key={API_V3_KEY}",
        PRIVATE_KEY.splitlines()[5],
        json.dumps({"pem": PRIVATE_KEY}),
        PRIVATE_KEY.splitlines()[0],
        'Authorization: WECHATPAY2-SHA256-RSA2048 mchid="1"',
    ],
    # Never named by the text: each worker of a run makes secrets of its own.
    ids=[
        *("fetched ticket", "part of a fetched ticket", "given ticket", "signature", "end of an answer's"),
        *("APIv3 key", "line of the key", "key in JSON", "first line of the key", "Authorization"),
    ],
)
def test_a_secret_or_a_part_of_it_is_found_and_not_shown(secrets, text):
    result = search(secrets, {"log": ["nothing here", text]})
    assert result.leaks
    assert all("log" in sentence and text not in sentence for sentence in result.leaks)
    assert (result.secrets, result.texts) == (6, 2)


def in_base64(text, before=""):
    return base64.b64encode(f"{before}{text}".encode()).decode()


@pytest.mark.parametrize("ticket", [GIVEN, FETCHED], ids=["given", "fetched"])
@pytest.mark.parametrize("piece", [slice(None), slice(30, 30 + PIECE)], ids=["whole", "12 characters"])
@pytest.mark.parametrize(
    "encode",
    [
        str,
        lambda text: quote(text, safe=""),
        lambda text: quote(quote(text, safe=""), safe=""),
        lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
        lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
        lambda text: json.dumps("".join(f"\\u{ord(char):04X}" for char in text)),
        lambda text: text.replace("/", "\\/"),
        lambda text: text.encode().hex(),
        lambda text: f"a{text.encode().hex().upper()}",
        in_base64,
        lambda text: in_base64(text, "1"),
        lambda text: in_base64(text, "22"),
        lambda text: f"abc{in_base64(text).replace('+', '-').replace('/', '_')}",
    ],
    ids=[
        *("itself", "percent", "percent twice", "every byte percent", "JSON", "JSON in JSON", "slashes"),
        *(
            "hexadecimal",
            "HEXADECIMAL",
            "base64",
            "base64 by 1",
            "base64 by 2",
            "base64 in a URL",
        ),
    ],
)
def test_a_ticket_is_found_in_every_encoding(secrets, ticket, piece, encode):
    assert search(secrets, {"log": [f"... {encode(ticket[piece])} ..."]}).leaks


@pytest.mark.parametrize("personal", [OPENID, PHONE], ids=["openid", "phone number"])
def test_what_is_personal_is_found(secrets, personal):
    assert search(secrets, {"log": [f"业务繁忙: {personal}"]}).leaks


def test_what_is_no_secret_is_not_found(secrets):
    innocent = [
        PRIVATE_KEY.splitlines()[1][:60].lower(),
        f"request {randomness.token_hex(20)}-271316598",
        "票据",
    ]
    assert search(secrets, {"log": innocent}).leaks == ()


def test_a_ticket_of_the_event_may_be_in_the_input_and_nowhere_else(secrets):
    text = json.dumps({"out_order_no": "A", "finish_ticket": GIVEN})
    assert search(secrets, {}, [text]).leaks == ()
    (leak,) = search(secrets, {"history": [text]}, [text]).leaks
    assert leak == "finish_ticket of an event in history: fields ['finish_ticket', 'out_order_no']"


def test_a_ticket_that_was_fetched_may_not_even_be_in_the_input(secrets):
    assert search(secrets, {}, [json.dumps({"finish_ticket": FETCHED})]).leaks
