"""The function's benchmarks, small: each runs on what was built, and its report carries every side."""

from benchmarks import cold_start, size, throughput, warm_call
from benchmarks.__main__ import render
from benchmarks.measured import Goal, Part, Times
from benchmarks.rig import FUNCTION, LAYERS

# What a first order of a merchant with the WeChat Pay public key does not need.
UNNEEDED = {
    *("cryptography.x509", "cryptography.hazmat.primitives.ciphers.aead"),
    *("wechatpay.certificates", "wechatpay.notification", "asyncio"),
}


def test_a_warm_call_is_made_by_every_side_at_every_distance():
    measured = warm_call.measure(3, round_trips=(0.0, 30.0))

    sides = {
        warm_call.HANDLER,
        warm_call.SUCCESSOR,
        warm_call.FLOOR,
        warm_call.WECHATPAYV3,
        warm_call.AXIOS,
        warm_call.AXIOS_KEPT,
    }
    assert {name for near in measured.values() for name in near} == sides
    assert all(len(side.milliseconds) == 3 for near in measured.values() for side in near.values())
    # A proxy that adds nothing would make every ratio at a distance a lie.
    assert all(min(side.milliseconds) >= 30 for side in measured[30.0].values())
    part = warm_call.report(measured)
    assert all(name in part.text for name in sides)
    assert len(part.goals) == 5


def test_a_cold_start_settles_an_order_beside_the_unavoidable_imports():
    measured = cold_start.measure(1)

    assert measured.imported[cold_start.HANDLER] < measured.done[cold_start.HANDLER]
    assert {"complete_order", "botocore", "requests", "cryptography"} <= measured.modules.keys()
    assert not UNNEEDED & measured.modules.keys()
    text = cold_start.report(measured).text
    assert {"| ours |", "| what runs at init |"} <= {
        row[: row.index("|", 1) + 1] for row in text.splitlines() if row[:1] == "|"
    }
    named = (cold_start.HANDLER, cold_start.TOGETHER, *cold_start.UNAVOIDABLE, *cold_start.UNDONE.values())
    assert all(name in text for name in named)
    assert {"TLS context", "Secrets Manager client"} == measured.at_init.keys()


def test_what_ships_is_under_the_goal_and_holds_bytecode():
    built = size.of((FUNCTION, *LAYERS))

    assert 0 < built.bytecode < built.total < 30 * size.MEGABYTE
    assert "cryptography" in size.report({"built": built}).text


def test_memory_does_not_grow_with_orders():
    measured = throughput.measure(orders=1_000, settled_in=300, profiled=200)

    assert measured.orders == 1_000
    assert measured.growth < 5 * throughput.MEGABYTE
    assert measured.parts["signing the request (RSA)"] > 0
    assert "completions per second" in throughput.report(measured).text


def test_percentiles_are_times_that_were_measured():
    times = Times(range(1, 101))
    assert (times.p50, times.p90, times.p99) == (50, 90, 99)
    assert Times([7.0]).p99 == 7.0


def test_a_missed_goal_is_shown_as_missed():
    report = render([Part("P", "text", (Goal("g", 1.0, 1.5),))], "make bench", 60)
    assert "| g | 1.00 x | 1.50 x | **missed** |" in report
    assert "make bench" in report
