"""What every function does around its use case. The client in `wechatpay` knows nothing of it."""
