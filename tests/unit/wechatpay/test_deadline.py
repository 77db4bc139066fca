from wechatpay.deadline import Deadline


def test_what_remains_is_counted_on_the_given_clock_and_turns_negative() -> None:
    times = iter([100.0, 100.0, 104.5, 111.0])
    deadline = Deadline(10.0, clock=lambda: next(times))
    assert [deadline.remaining() for _ in range(3)] == [10.0, 5.5, -1.0]
