import pytest
from invocation.settings import Settings

ENVIRONMENT = {
    "MERCHANT_SECRET_PREFIX": "wechatpay/merchants/",
    "DEFAULT_MCHID": "1900000001",
    "WECHATPAY_HOSTS": "https://api.mch.weixin.qq.com,https://api2.mch.weixin.qq.com",
}


def read(*needed: str, **changes: str) -> Settings:
    return Settings.from_environment(*needed, environment=ENVIRONMENT | changes)


def test_settings_are_what_the_template_sets() -> None:
    assert read(WAITING_ORDERS="orders")._asdict() == {
        "merchant_secret_prefix": "wechatpay/merchants/",
        "wechatpay_hosts": ("https://api.mch.weixin.qq.com", "https://api2.mch.weixin.qq.com"),
        "default_mchid": "1900000001",
        "waiting_orders": "orders",
    }


def test_a_stack_may_have_no_default_merchant() -> None:
    absent = {name: value for name, value in ENVIRONMENT.items() if name != "DEFAULT_MCHID"}
    assert Settings.from_environment(environment=absent).default_mchid == ""
    assert read(DEFAULT_MCHID="").default_mchid == ""


@pytest.mark.parametrize("name", ["MERCHANT_SECRET_PREFIX", "WECHATPAY_HOSTS"])
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"environment: {name} must be set"):
        read(**{name: ""})
    with pytest.raises(ValueError, match=f"environment: {name} must be set"):
        Settings.from_environment(environment={n: v for n, v in ENVIRONMENT.items() if n != name})


def test_what_one_function_needs_beside_must_be_set_too() -> None:
    assert read("WAITING_ORDERS", WAITING_ORDERS="orders").waiting_orders == "orders"
    for changes in ({}, {"WAITING_ORDERS": ""}):
        with pytest.raises(ValueError, match="environment: WAITING_ORDERS must be set"):
            read("WAITING_ORDERS", **changes)


def test_every_missing_variable_is_named_at_once() -> None:
    with pytest.raises(ValueError, match="MERCHANT_SECRET_PREFIX, WECHATPAY_HOSTS, WAITING_ORDERS"):
        Settings.from_environment("WAITING_ORDERS", environment={})


@pytest.mark.parametrize(
    ("hosts", "read_as"),
    [
        ("https://a.example/", ("https://a.example",)),
        (" https://a.example , https://b.example:8443", ("https://a.example", "https://b.example:8443")),
        ("http://127.0.0.1:8080", ("http://127.0.0.1:8080",)),
        ("http://localhost:8080,http://[::1]:8081/", ("http://localhost:8080", "http://[::1]:8081")),
    ],
)
def test_hosts_are_https_or_loopback(hosts: str, read_as: tuple[str, ...]) -> None:
    assert read(WECHATPAY_HOSTS=hosts).wechatpay_hosts == read_as


@pytest.mark.parametrize(
    "host",
    [
        "http://api.mch.weixin.qq.com",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://localhost@evil.example",
        "https://api.mch.weixin.qq.com@evil.example",
        "https://api.mch.weixin.qq.com/v3",
        "https://api.mch.weixin.qq.com?x",
        "https://",
        "api.mch.weixin.qq.com",
        "ftp://127.0.0.1",
        "https://a.example,",
        "HTTP://127.0.0.1",
    ],
)
def test_any_other_host_is_refused_and_named(host: str) -> None:
    with pytest.raises(ValueError, match="must be https://host, or http:// on loopback"):
        read(WECHATPAY_HOSTS=f"https://a.example,{host}")
