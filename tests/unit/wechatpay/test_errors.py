import pytest
from wechatpay.errors import (
    MerchantMisconfigured,
    NothingSent,
    OutcomeUnknown,
    Problem,
    ServiceError,
    SettlementError,
    Unverifiable,
    WeChatPayError,
    WeChatPayRateLimited,
    WeChatPayUnavailable,
)


@pytest.mark.parametrize(
    ("request_id", "internal_code"),
    [
        ("08DABC-271316598", "271316598"),
        ("08-DA-BC-0", "0"),
        ("08DABC", ""),
        ("12345", "12345"),
        ("08-x1", ""),
        ("08-", ""),
        ("", ""),
        ("08-١٢", ""),
    ],
)
def test_the_internal_code_is_the_digits_behind_the_last_dash(request_id: str, internal_code: str) -> None:
    assert Problem(400, request_id=request_id).internal_code == internal_code


def test_a_problem_says_everything_that_is_known() -> None:
    problem = Problem(400, "PARAM_ERROR", "参数错误", '{"field":"/fees"}', "08-1", verified=True)
    assert str(problem) == 'HTTP 400 | PARAM_ERROR | 参数错误 | {"field":"/fees"} | Request-ID 08-1'


def test_a_problem_names_a_missing_proof_and_leaves_out_what_is_empty() -> None:
    assert str(Problem(502)) == "HTTP 502 | signature not verified"


def test_a_reply_error_carries_its_problem() -> None:
    problem = Problem(500, "SYSTEM_ERROR")
    assert ServiceError(problem).problem is problem
    assert str(Unverifiable(problem)) == str(problem)


def test_the_two_families_are_apart() -> None:
    raised = (WeChatPayUnavailable, WeChatPayRateLimited, OutcomeUnknown, MerchantMisconfigured)
    assert all(issubclass(each, SettlementError) and not issubclass(each, WeChatPayError) for each in raised)
    assert not issubclass(NothingSent, SettlementError)


@pytest.mark.parametrize(
    "error", [WeChatPayUnavailable, WeChatPayRateLimited, OutcomeUnknown, MerchantMisconfigured]
)
def test_an_error_is_counted_under_its_own_name(error: type[SettlementError]) -> None:
    assert error("why").metric == error.__name__


def test_an_order_that_is_not_ready_is_counted_as_nothing_else() -> None:
    error = WeChatPayUnavailable("SR-1 ends at 12:00", order_not_ready=True)
    assert (error.metric, str(error)) == ("OrderNotReady", "SR-1 ends at 12:00")
