import pytest
from payment_notification.settings import Settings

ENVIRONMENT = {
    "MERCHANT_SECRET_PREFIX": "wechatpay/merchants/",
    "WECHATPAY_HOSTS": "https://api.mch.weixin.qq.com",
    "WAITING_ORDERS": "stack-WaitingOrders",
}


def test_settings_are_what_the_template_sets():
    read = Settings.from_environment(ENVIRONMENT)
    assert read.merchant_secret_prefix == "wechatpay/merchants/"
    assert read.wechatpay_hosts == ("https://api.mch.weixin.qq.com",)
    assert read.waiting_orders == "stack-WaitingOrders"


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_missing_variable_is_named(name):
    with pytest.raises(ValueError, match=f"environment: {name} must be set"):
        Settings.from_environment(ENVIRONMENT | {name: ""})
