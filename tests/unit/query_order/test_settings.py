from types import ModuleType

import pytest

from tests.function import fresh_module

ENVIRONMENT = {
    "MERCHANT_SECRET_PREFIX": "wechatpay/merchants/",
    "WECHATPAY_HOSTS": "https://api.mch.weixin.qq.com,https://api2.mch.weixin.qq.com",
}


@pytest.fixture(scope="module")
def settings() -> ModuleType:
    """The module by its path: its name is also that of another function's."""
    return fresh_module("query_order", "settings")


def test_settings_are_what_the_template_sets(settings):
    read = settings.Settings.from_environment(ENVIRONMENT)
    assert read.merchant_secret_prefix == "wechatpay/merchants/"
    assert read.wechatpay_hosts == ("https://api.mch.weixin.qq.com", "https://api2.mch.weixin.qq.com")


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_missing_variable_is_named(settings, name):
    with pytest.raises(ValueError, match=f"environment: {name} must be set"):
        settings.Settings.from_environment(ENVIRONMENT | {name: ""})


def test_every_missing_variable_is_named_at_once(settings):
    with pytest.raises(ValueError, match="MERCHANT_SECRET_PREFIX, WECHATPAY_HOSTS"):
        settings.Settings.from_environment({})


def test_a_host_that_is_neither_https_nor_loopback_is_refused(settings):
    with pytest.raises(ValueError, match="must be https://host, or http:// on loopback"):
        settings.Settings.from_environment(ENVIRONMENT | {"WECHATPAY_HOSTS": "http://a.example"})
