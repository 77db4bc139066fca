"""The tables against the official pages, row by row and independent of how the tables are written."""

from dataclasses import FrozenInstanceError

import pytest
from wechatpay import decisions
from wechatpay.decisions import Action, Verdict, after_reply, of_state
from wechatpay.errors import (
    MerchantMisconfigured,
    NoAnswer,
    NothingSent,
    Problem,
    ServiceError,
    UnexpectedReply,
    Unverifiable,
    WeChatPayRateLimited,
    WeChatPayUnavailable,
)

ASK, REJECT, LATER = Action.ASK, Action.REJECT, Action.RETRY_LATER

# status, code, message, tail, then when signed, then when not
OFFICIAL: list[tuple[int, str, str, str, Action, Action]] = [
    (400, "PARAM_ERROR", "参数错误", "", REJECT, Action.ASK_THEN_REJECT),
    (400, "PARAM_ERROR", "订单重入参数校验失败", "", ASK, ASK),
    (400, "PARAM_ERROR", "", "271316598", ASK, ASK),
    (400, "PARAM_ERROR", "校验完结凭证错误", "", Action.FRESH_TICKET, Action.FRESH_TICKET),
    (400, "PARAM_ERROR", "完结订单状态不合法", "", ASK, ASK),
    (400, "INVALID_REQUEST", "当前订单状态不合法", "271302262", ASK, ASK),
    (400, "INVALID_REQUEST", "", "271302332", ASK, ASK),
    (400, "INVALID_REQUEST", "", "271302333", ASK, ASK),
    (400, "ORDER_DONE", "", "", ASK, ASK),
    (400, "ORDER_CLOSED", "", "", ASK, ASK),
    (400, "ORDER_CANCELED", "", "", ASK, ASK),
    (400, "INVALID_REQUEST", "单据正在扣款中", "271316754", ASK, ASK),
    (400, "PARAM_ERROR", "", "271316656", REJECT, Action.ASK_THEN_REJECT),
    (400, "PARAM_ERROR", "", "271316637", REJECT, Action.ASK_THEN_REJECT),
    (400, "PARAM_ERROR", "服务结束时间不能晚于当前时间", "", REJECT, Action.ASK_THEN_REJECT),
    (400, "PARAM_ERROR", "", "268435464", REJECT, Action.ASK_THEN_REJECT),
    (401, "SIGN_ERROR", "", "", Action.REREAD_SECRET, Action.REREAD_SECRET),
    (403, "NO_AUTH", "", "", Action.MISCONFIGURED, Action.MISCONFIGURED),
    (404, "ORDER_NOT_EXIST", "", "271317510", REJECT, ASK),
    (429, "FREQUENCY_LIMIT_EXCEED", "", "", LATER, LATER),
    (429, "FREQUENCY_LIMITED", "", "", LATER, LATER),
    (429, "RATELIMIT_EXCEEDED", "", "", LATER, LATER),
    (429, "RATE_LIMITED", "", "", LATER, LATER),
    (429, "", "", "", LATER, LATER),
    (500, "SYSTEM_ERROR", "", "", ASK, ASK),
    (502, "", "", "", ASK, ASK),
    (503, "", "", "", ASK, ASK),
    (599, "", "", "", ASK, ASK),
    (302, "", "", "", ASK, ASK),
    (410, "", "", "", REJECT, Action.ASK),
    (499, "", "", "", REJECT, Action.ASK),
    # What another status makes of the same phrases: they are only known for 400.
    (500, "PARAM_ERROR", "校验完结凭证错误", "", ASK, ASK),
    (500, "ORDER_DONE", "", "271316598", ASK, ASK),
    (500, "FREQUENCY_LIMITED", "", "", ASK, ASK),
    (404, "PARAM_ERROR", "校验完结凭证错误", "", REJECT, ASK),
    (422, "ORDER_DONE", "", "", REJECT, Action.ASK_THEN_REJECT),
    (422, "PARAM_ERROR", "订单重入参数校验失败", "271316598", REJECT, Action.ASK_THEN_REJECT),
    (422, "PARAM_ERROR", "单据正在扣款中", "271316754", REJECT, Action.ASK_THEN_REJECT),
]


@pytest.mark.parametrize(("status", "code", "message", "tail", "signed", "unsigned"), OFFICIAL)
def test_a_refusal_leads_to_what_the_official_page_says(
    status: int, code: str, message: str, tail: str, signed: Action, unsigned: Action
) -> None:
    for verified, then in ((True, signed), (False, unsigned)):
        problem = Problem(status, code, message, request_id=f"08F7-{tail}", verified=verified)
        assert after_reply(ServiceError(problem)) is then


def test_words_count_in_the_detail_as_well() -> None:
    problem = Problem(400, "PARAM_ERROR", "参数错误", detail="订单重入参数校验失败", verified=True)
    assert after_reply(ServiceError(problem)) is ASK


def test_an_internal_code_counts_only_behind_the_last_hyphen() -> None:
    problem = Problem(400, "PARAM_ERROR", request_id="271316598-0", verified=True)
    assert after_reply(ServiceError(problem)) is REJECT


@pytest.mark.parametrize(
    ("error", "then"),
    [
        (NothingSent("refused"), Action.RETRY),
        (NoAnswer("timeout"), ASK),
        (Unverifiable(Problem(200)), ASK),
        (Unverifiable(Problem(202)), ASK),
        (UnexpectedReply(Problem(202, verified=True)), ASK),
        (UnexpectedReply(Problem(204, verified=True)), ASK),
    ],
    ids=repr,
)
def test_what_is_no_refusal_is_asked_about_unless_nothing_left(error: Exception, then: Action) -> None:
    assert after_reply(error) is then


def test_what_is_left_to_step_functions_is_raised_under_the_name_it_retries_or_not() -> None:
    assert {
        Action.RETRY: WeChatPayUnavailable,
        LATER: WeChatPayRateLimited,
        Action.MISCONFIGURED: MerchantMisconfigured,
    } == decisions.ERRORS


OPEN, DONE, CONFLICT, NEVER, UNCLEAR = Verdict
# state, finish_type and amount as found, then for a cancellation, then for 1200 fen
STATES = [
    ("USER_ACCEPTED", None, None, OPEN, OPEN),
    ("USER_ACCEPTED", 0, 0, OPEN, OPEN),
    ("FINISHED", 2, 1200, CONFLICT, DONE),
    ("FINISHED", 2, 1199, CONFLICT, CONFLICT),
    ("FINISHED", 2, 0, CONFLICT, CONFLICT),
    ("FINISHED", 2, None, CONFLICT, UNCLEAR),
    ("FINISHED", 1, 0, DONE, CONFLICT),
    ("FINISHED", 1, 1200, DONE, CONFLICT),
    ("FINISHED", None, 1200, UNCLEAR, UNCLEAR),
    ("FINISHED", 3, 1200, UNCLEAR, UNCLEAR),
    ("USER_PAID", 2, 1200, CONFLICT, DONE),
    ("USER_PAID", 2, 1201, CONFLICT, CONFLICT),
    ("USER_PAID", 2, None, CONFLICT, UNCLEAR),
    ("USER_PAID", 1, 1200, UNCLEAR, UNCLEAR),
    ("USER_PAID", None, 1200, UNCLEAR, UNCLEAR),
    ("REVOKED", None, None, DONE, CONFLICT),
    ("REVOKED", 2, 1200, DONE, CONFLICT),
    ("CREATED", None, None, NEVER, NEVER),
    ("EXPIRED", None, None, NEVER, NEVER),
    ("SOMETHING_NEW", 2, 1200, UNCLEAR, UNCLEAR),
]


@pytest.mark.parametrize(("state", "finish_type", "amount", "cancel", "finish"), STATES)
def test_a_state_means_what_the_official_page_says(
    state: str, finish_type: int | None, amount: int | None, cancel: Verdict, finish: Verdict
) -> None:
    found = {"state": state, "finish_type": finish_type, "total_amount": amount}
    assert of_state(cancelling=True, amount=0, **found) is cancel
    assert of_state(cancelling=False, amount=1200, **found) is finish


def test_every_row_says_how_sure_it_is_and_cannot_be_changed() -> None:
    for row in (*decisions.REPLIES, *decisions.STATES):
        assert row.source.partition(":")[0].partition(" ")[0] in ("V", "T", "I", "D"), row
        with pytest.raises(FrozenInstanceError):
            row.source = "V"  # type: ignore[misc]
