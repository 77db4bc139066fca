"""The function as it was built, with the interpreter, the paths and the environment that Lambda gives it."""

import worker

worker.keep_output(worker.SETTINGS["log"])

from complete_order import app  # noqa: E402 - what it prints on import is kept too

# The one thing added: loopback's authority, beside the real ones that the function trusts.
app.transport._trust.load_verify_locations(worker.SETTINGS["authority"])


class Custom:
    """What Step Functions hands over."""

    custom = {  # noqa: RUF012 - a first attempt; a later one would query before it completes
        "execution": "arn:aws:states:us-east-1:000000000000:execution:ServiceEnded:benchmark",
        "retry_count": 0,
        "redrive_count": 0,
    }


class Context:
    """What Lambda hands over."""

    function_name = "CompleteOrder"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:CompleteOrder:live"
    aws_request_id = "00000000-0000-0000-0000-000000000000"
    client_context = Custom()

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """All of the function's time: it begins."""
        return 30_000


def settle(number: int) -> None:
    """Settle an order; each its own when the numbers are to differ."""
    event = dict(worker.SETTINGS["event"])
    if worker.SETTINGS.get("distinct"):
        event["out_order_no"] = f"{event['out_order_no']}-{number}"
    if app.lambda_handler(event, Context())["outcome"] != "COMPLETED":
        raise SystemExit("the order was not completed")


if __name__ == "__main__":
    from sampling import sampled

    worker.serve(settle, sampled)
