"""The function `PaymentNotification`: takes WeChat Pay's notifications of payment and wakes the wait."""
