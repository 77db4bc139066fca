import dataclasses
import json
import re
import traceback
from datetime import date
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from wechatpay.credentials import Credentials, parse
from wechatpay.errors import MerchantMisconfigured

from tests.unit.wechatpay.material import (
    API_V3_KEY,
    MCHID,
    MERCHANT_SERIAL,
    NOW,
    PUBLIC_KEY_ID,
    certificate,
    certificate_pem,
    private_pem,
    public_pem,
    rsa_key,
    secret,
)

ENCRYPTED = (
    rsa_key("merchant")
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password"))
    .decode()
)
CERTIFICATE = certificate_pem(certificate("certified", 0xA1))
SHORT_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)
CURVE_KEY = ec.generate_private_key(ec.SECP256R1())
NO_KEY = "not an unencrypted private key in PEM (-----BEGIN PRIVATE KEY-----)"
NO_PUBLIC_KEY = "not a public key in PEM (-----BEGIN PUBLIC KEY-----)"
NO_CERTIFICATE = "not a certificate in PEM (-----BEGIN CERTIFICATE-----)"
TOO_WEAK = "must be an RSA key of at least 2048 bits"
KEY_ID_RULE = "must be text of PUB_KEY_ID_ and letters, digits or _"
NAME_RULE = "must be text of 1-32 letters, digits, _ or -"


def parsed(**changes: Any) -> Credentials:
    return parse(json.dumps(secret(**changes)), MCHID)


def refused(text: str, mchid: str = MCHID) -> str:
    with pytest.raises(MerchantMisconfigured) as caught:
        parse(text, mchid)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert_tells_no_value(text, shown)
    return str(caught.value)


def words(value: Any) -> list[str]:
    """Every line and word of a secret's values that would be worth stealing."""
    if isinstance(value, dict):
        return [
            word for name, each in value.items() if name not in ("mchid", "appid") for word in words(each)
        ]
    if isinstance(value, list):
        return [word for each in value for word in words(each)]
    known = ("PRIVATE", "PUBLIC", "KEY", "CERTIFICATE", "BEGIN", "END", "ENCRYPTED", "PUB_KEY_ID_")
    parts = re.split(r"[\s-]+", value) if isinstance(value, str) else []
    return [word for word in parts if len(word) >= 8 and word not in known]


def assert_tells_no_value(text: str, shown: str) -> None:
    try:
        values = words(json.loads(text))
    except (ValueError, RecursionError):
        values = words(text)
    assert [word for word in values if word in shown] == []


def test_a_sound_secret_is_read() -> None:
    credentials = parsed()
    assert credentials.signer.mchid == MCHID
    assert credentials.signer.serial_no == MERCHANT_SERIAL
    assert credentials.signer.private_key.private_numbers() == rsa_key("merchant").private_numbers()
    assert credentials.api_v3_key == API_V3_KEY.encode()
    assert credentials.public_key_id == PUBLIC_KEY_ID
    assert credentials.public_key is not None
    assert credentials.public_key.public_numbers() == rsa_key("platform").public_key().public_numbers()
    assert credentials.certificates == ()
    assert (credentials.appid, credentials.service_id) == ("wxd678efh567hg6787", "500001")


def test_a_merchant_of_certificates_needs_no_public_key() -> None:
    credentials = parsed(
        wechatpay_public_key_id=..., wechatpay_public_key=..., wechatpay_certificates=[CERTIFICATE]
    )
    assert credentials.public_key is credentials.public_key_id is None
    assert [each.serial_number for each in credentials.certificates] == [0xA1]


def test_both_kinds_of_keys_may_stand_side_by_side() -> None:
    credentials = parsed(
        wechatpay_certificates=[CERTIFICATE, certificate_pem(certificate("other", 0xB2, now=NOW))]
    )
    assert credentials.public_key is not None
    assert [each.serial_number for each in credentials.certificates] == [0xA1, 0xB2]


def test_neither_kind_is_sound_too_for_certificates_can_be_downloaded() -> None:
    credentials = parsed(wechatpay_public_key_id=..., wechatpay_public_key=..., appid=..., service_id=...)
    assert credentials.public_key is None
    assert (credentials.certificates, credentials.appid, credentials.service_id) == ((), None, None)


def test_a_lower_case_serial_is_written_in_upper_case() -> None:
    assert parsed(merchant_serial_no=MERCHANT_SERIAL.lower()).signer.serial_no == MERCHANT_SERIAL


@pytest.mark.parametrize("name", ["mchid", "merchant_serial_no", "merchant_private_key", "api_v3_key"])
def test_a_missing_field_is_named(name: str) -> None:
    assert refused(json.dumps(secret(**{name: ...}))) == f"secret of merchant {MCHID}: {name}: required"


REQUIRED = ["mchid", "merchant_serial_no", "merchant_private_key", "api_v3_key"]
OPTIONAL = [
    "wechatpay_public_key_id",
    "wechatpay_public_key",
    "wechatpay_certificates",
    "appid",
    "service_id",
    "order_api",
    "unmanned_retail",
    "merchant_certificate_expires",
]


@pytest.mark.parametrize("name", [*REQUIRED, *OPTIONAL])
@pytest.mark.parametrize("value", [7, ["x"], {"x": 1}, "\u9519"])
def test_a_field_of_another_form_is_named(name: str, value: object) -> None:
    assert refused(json.dumps(secret(**{name: value}))).startswith(f"secret of merchant {MCHID}: {name}")


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, "", " "])
def test_a_required_field_is_neither_null_nor_blank(name: str, value: object) -> None:
    assert refused(json.dumps(secret(**{name: value}))).startswith(f"secret of merchant {MCHID}: {name}: ")


@pytest.mark.parametrize("value", [None, "", " \n"])
def test_an_optional_field_that_is_null_or_blank_is_absent(value: object) -> None:
    blank, absent = (parsed(**dict.fromkeys(OPTIONAL, each)) for each in (value, ...))
    assert dataclasses.replace(blank, signer=absent.signer) == absent
    assert (absent.order_api, absent.unmanned_retail) == (None, True)


def test_the_api_of_the_merchants_orders_and_its_trade_are_read() -> None:
    assert parsed(order_api="payafter-orders").order_api == "payafter-orders"
    for value, unmanned in ((True, True), ("true", True), (False, False), ("false", False)):
        assert parsed(unmanned_retail=value).unmanned_retail is unmanned
    problem = refused(json.dumps(secret(order_api="smart-retail", unmanned_retail="no")))
    assert "order_api: must be one of smartretail-orders, payafter-orders, serviceorder; " in problem
    assert "unmanned_retail: must be true or false" in problem


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("mchid", "19000000O1", "must be text of digits"),
        ("mchid", "1900000002", "belongs to another merchant"),
        ("mchid", "１９００００００１", "must be text of digits"),
        ("merchant_serial_no", "SERIAL-NUMBER", "must be text of 8-64 hexadecimal digits"),
        ("merchant_serial_no", "1DDE", "must be text of 8-64 hexadecimal digits"),
        ("merchant_serial_no", MERCHANT_SERIAL + "\n", "must be text of 8-64 hexadecimal digits"),
        ("merchant_private_key", "not a key at all", NO_KEY),
        ("merchant_private_key", private_pem(rsa_key("merchant"))[:-300], NO_KEY),
        ("merchant_private_key", public_pem(rsa_key("merchant")), NO_KEY),
        ("merchant_private_key", CERTIFICATE, NO_KEY),
        ("merchant_private_key", ENCRYPTED, NO_KEY),
        ("merchant_private_key", "\ud800", NO_KEY),
        ("merchant_private_key", private_pem(CURVE_KEY), TOO_WEAK),
        ("merchant_private_key", private_pem(SHORT_KEY), TOO_WEAK),
        ("api_v3_key", API_V3_KEY[:31], "must be 32 bytes, is 31"),
        ("api_v3_key", API_V3_KEY[:16], "must be 32 bytes, is 16"),
        ("api_v3_key", API_V3_KEY + "\n", "must be 32 bytes, is 33"),
        ("api_v3_key", "密" * 32, "must be 32 bytes, is 96"),
        ("wechatpay_public_key_id", "0119000000012024101100397200000006", KEY_ID_RULE),
        ("wechatpay_public_key_id", PUBLIC_KEY_ID + "\n", KEY_ID_RULE),
        ("wechatpay_public_key_id", "PUB_KEY_ID_", KEY_ID_RULE),
        ("wechatpay_public_key", "not a key at all", NO_PUBLIC_KEY),
        ("wechatpay_public_key", CERTIFICATE, NO_PUBLIC_KEY),
        ("wechatpay_public_key", private_pem(rsa_key("merchant")), NO_PUBLIC_KEY),
        ("wechatpay_public_key", public_pem(CURVE_KEY), TOO_WEAK),
        ("wechatpay_public_key", public_pem(SHORT_KEY), TOO_WEAK),
        ("wechatpay_certificates", CERTIFICATE, "must be a list, is text"),
        ("appid", "wx 1234567890", NAME_RULE),
        ("appid", "w" * 33, NAME_RULE),
        ("service_id", "服务标识", NAME_RULE),
    ],
)
def test_a_malformed_field_is_named_with_its_rule(name: str, value: object, rule: str) -> None:
    assert refused(json.dumps(secret(**{name: value}))) == f"secret of merchant {MCHID}: {name}: {rule}"


@pytest.mark.parametrize(
    ("certificates", "problem"),
    [
        ([7], "wechatpay_certificates[0]: must be text, is a number"),
        ([None], "wechatpay_certificates[0]: must be text, is null"),
        (["nonsense"], f"wechatpay_certificates[0]: {NO_CERTIFICATE}"),
        ([CERTIFICATE, public_pem(rsa_key("platform"))], f"wechatpay_certificates[1]: {NO_CERTIFICATE}"),
        (
            [certificate_pem(certificate("curve", 1, key=CURVE_KEY)), "x"],
            f"wechatpay_certificates[0]: {TOO_WEAK}; wechatpay_certificates[1]: {NO_CERTIFICATE}",
        ),
    ],
)
def test_a_bad_certificate_is_named_by_its_place(certificates: list[str], problem: str) -> None:
    message = refused(json.dumps(secret(wechatpay_certificates=certificates)))
    assert message == f"secret of merchant {MCHID}: {problem}"


@pytest.mark.parametrize("name", ["wechatpay_public_key_id", "wechatpay_public_key"])
def test_a_public_key_and_its_id_come_together(name: str) -> None:
    rule = "required: a public key and its id come together"
    for lacking in (..., None, ""):
        assert refused(json.dumps(secret(**{name: lacking}))) == f"secret of merchant {MCHID}: {name}: {rule}"


def test_a_private_key_whose_parts_do_not_belong_together_signs_nothing() -> None:
    numbers = rsa_key("merchant").private_numbers()
    other = rsa.RSAPublicNumbers(e=3, n=numbers.public_numbers.n)
    mixed = rsa.RSAPrivateNumbers(
        numbers.p, numbers.q, numbers.d, numbers.dmp1, numbers.dmq1, numbers.iqmp, other
    ).private_key(unsafe_skip_rsa_key_validation=True)
    problem = refused(json.dumps(secret(merchant_private_key=private_pem(mixed))))
    assert "merchant_private_key: its parts do not belong together" in problem


def test_a_field_of_somebody_elses_tools_is_left_alone() -> None:
    assert parsed(note="rotated in May").signer.mchid == MCHID


def test_the_last_day_of_the_merchants_certificate_is_read() -> None:
    assert parsed(merchant_certificate_expires="2031-05-20").certificate_expires == date(2031, 5, 20)
    assert parsed().certificate_expires is None
    problem = refused(json.dumps(secret(merchant_certificate_expires="20 May")))
    assert problem == f"secret of merchant {MCHID}: merchant_certificate_expires: must be a date, yyyy-MM-dd"


def test_every_problem_of_a_secret_is_reported_at_once() -> None:
    problem = refused('{"mchid": "x", "merchant_private_key": "y", "wechatpay_public_key": "z"}')
    for name in (
        "mchid",
        "merchant_serial_no",
        "merchant_private_key",
        "api_v3_key",
        "wechatpay_public_key_id",
    ):
        assert f"{name}: " in problem


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "{",
        private_pem(rsa_key("merchant")),
        '{"merchant_private_key": "MIIEvQIBADANBgkq',
        '{"merchant_private_key": MIIEvQIBADANBgkq}',
        '{"api_v3_key": "a7cde1ZJB1kG2e7VfTs3\\jQzaWizur8Gb"}',
        "\ufeff{}",
    ],
)
def test_what_is_no_json_is_named_by_its_place_and_not_quoted(text: str) -> None:
    assert re.fullmatch(
        f"secret of merchant {MCHID}: not JSON at line 1 column [0-9]+: "
        "check the quotes and commas there, or let `make secret` write it",
        refused(text),
    )


@pytest.mark.parametrize("text", ["[" * 99999, '{"mchid": ' + "9" * 5000 + "}"], ids=["nested", "long"])
def test_json_that_no_parser_takes_is_misconfigured(text: str) -> None:
    assert refused(text) == f"secret of merchant {MCHID}: JSON beyond reason"


def test_a_comma_that_is_missing_is_named_by_its_line_and_column() -> None:
    assert "not JSON at line 3 column 3: " in refused('{\n  "appid": "wx1"\n  "service_id": "5"\n}')


def test_a_pem_with_real_line_breaks_is_named_by_place_with_a_hint() -> None:
    pem = private_pem(rsa_key("merchant"))
    text = json.dumps(secret(), indent=1).replace(json.dumps(pem), f'"{pem}"')
    assert refused(text) == (
        f"secret of merchant {MCHID}: not JSON at line 4 column 54: a line break inside a text; "
        "in JSON each line break of a PEM is written \\n, or let `make secret` write it"
    )


@pytest.mark.parametrize("name", ["merchant_private_key", "wechatpay_public_key"])
def test_a_pem_with_a_backslash_and_an_n_for_each_line_break_gets_a_hint(name: str) -> None:
    problem = refused(json.dumps(secret(**{name: secret()[name].replace("\n", "\\n")})))
    assert problem.endswith(
        "; it has the two characters \\n where line breaks belong: escape them once, "
        "or let `make secret` write it"
    )


@pytest.mark.parametrize("text", ["[]", "null", '"MIIEvQIBADANBgkq"', "7"])
def test_what_is_no_object_is_not_quoted(text: str) -> None:
    assert refused(text) == f"secret of merchant {MCHID}: must be a JSON object"


def test_repr_and_str_show_no_secret() -> None:
    credentials = parsed(wechatpay_certificates=[CERTIFICATE])
    assert repr(credentials) == str(credentials) == f"Credentials(mchid='{MCHID}', ***)"


SOUND = secret(wechatpay_certificates=[CERTIFICATE])
materials = st.sampled_from([*(v for v in SOUND.values() if isinstance(v, str)), CERTIFICATE, ENCRYPTED])
values = st.none() | st.integers() | st.text(max_size=40) | materials | st.lists(materials, max_size=2)


# A private key is checked when it is loaded, which takes its time.
@settings(max_examples=settings().max_examples // 3)
@given(changes=st.dictionaries(st.sampled_from([*SOUND, "unknown"]), values, max_size=3))
def test_any_secret_is_credentials_or_misconfigured_and_never_shown(changes: dict[str, Any]) -> None:
    text = json.dumps(SOUND | changes)
    try:
        credentials = parse(text, MCHID)
    except MerchantMisconfigured as exc:
        # The text of a rule is no value: only its words may stand in both.
        rules = " ".join(SOUND)
        shown = "".join(traceback.format_exception(exc))
        leaked = [word for word in words(json.loads(text)) if word in shown and word not in rules]
        assert [word for word in leaked if word in SECRET_WORDS] == []
    else:
        assert credentials.signer.mchid == MCHID


SECRET_WORDS = {*words(SOUND), *words(ENCRYPTED)}


@given(text=st.text(max_size=200))
def test_any_text_is_misconfigured(text: str) -> None:
    with pytest.raises(MerchantMisconfigured):
        parse(text, MCHID)
