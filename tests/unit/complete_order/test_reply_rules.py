"""The tables against the official pages, row by row and independent of how the tables are written."""

import pytest
from wechatpay import reply_rules
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
from wechatpay.reply_rules import Action, Verdict, of_state, rule_of

ASK, LATER, ACCEPTED = Action.ASK, Action.RETRY_LATER, Action.ASK_ACCEPTED
NEXT_HOST, SETUP, REREAD = Action.ASK_THEN_NEXT_HOST, Action.MISCONFIGURED, Action.REREAD_SECRET
REPEAT, REJECT, UNKNOWN = Action.ASK_THEN_REPEAT, Action.ASK_THEN_REJECT, Action.ASK_IF_UNKNOWN

# status, code, message, tail, then: section 5 of the design, signed or not
OFFICIAL: list[tuple[int, str, str, str, Action]] = [
    (400, "PARAM_ERROR", "参数错误", "", REPEAT),
    (400, "PARAM_ERROR", "订单重入参数校验失败", "", ACCEPTED),
    (400, "PARAM_ERROR", "", "271316598", ACCEPTED),
    (400, "PARAM_ERROR", "校验完结凭证错误", "", Action.ASK_THEN_NEW_TICKET),
    (400, "PARAM_ERROR", "完结订单状态不合法", "", ASK),
    (400, "INVALID_REQUEST", "当前订单状态不合法", "271302262", ASK),
    (400, "INVALID_REQUEST", "", "271302332", ASK),
    (400, "INVALID_REQUEST", "", "271302333", ASK),
    (400, "INVALID_ORDER_STATE", "单据状态错误", "", ASK),
    (400, "ORDER_DONE", "", "", ASK),
    (400, "ORDER_CLOSED", "", "", ASK),
    (400, "ORDER_CANCELED", "", "", ASK),
    (400, "INVALID_REQUEST", "单据正在扣款中", "271316754", ACCEPTED),
    (400, "INVALID_REQUEST", "支付分扣款失败", "271316574", ACCEPTED),
    (400, "PARAM_ERROR", "", "271316656", REJECT),
    (400, "PARAM_ERROR", "完结金额超过服务风险金额上限", "", REJECT),
    (400, "PARAM_ERROR", "服务结束时间不能早于服务开始时间", "271316637", REJECT),
    (400, "PARAM_ERROR", "", "268435464", REJECT),
    (400, "PARAM_ERROR", "服务结束时间不能晚于当前时间", "", ASK),
    (400, "PARAM_ERROR", "实际结束时间不能晚于使用完结接口的时间", "", ASK),
    (400, "PARAM_ERROR", "/time_range/end_time 格式错误", "", ASK),
    (400, "PARAM_ERROR", "服务时间段错误", "", ASK),
    (400, "PARAM_ERROR", "服务ID不存在", "", SETUP),
    (400, "PARAM_ERROR", "商户号与公众账号id不匹配", "", SETUP),
    (400, "PARAM_ERROR", "总金额超过服务ID风险金额上限", "", REJECT),
    (400, "PARAM_ERROR", "平台证书序列号Wechatpay-Serial错误", "", Action.REREAD_KEYS),
    (400, "INVALID_REQUEST", "", "271302144", SETUP),
    (400, "INVALID_REQUEST", "", "271302149", SETUP),
    (400, "INVALID_REQUEST", "", "268503786", SETUP),
    (400, "APPID_MCHID_NOT_MATCH", "", "", SETUP),
    (400, "NO_AUTH", "", "", SETUP),
    (400, "SIGN_ERROR", "", "", REREAD),
    (400, "INVALID_REQUEST", "", "270924332", REREAD),
    (401, "SIGN_ERROR", "", "", REREAD),
    (401, "ANYTHING", "", "", REREAD),
    (403, "NO_AUTH", "", "", SETUP),
    (403, "NO_AUTH", "此IP地址不允许调用该接口", "", SETUP),
    (403, "ANYTHING_NEW", "", "", SETUP),
    (404, "ORDER_NOT_EXIST", "", "271317510", UNKNOWN),
    (404, "RESOURCE_NOT_EXISTS", "", "271317510", UNKNOWN),
    (404, "RESOURCE_NOT_EXISTS", "", "", ASK),
    (429, "FREQUENCY_LIMIT_EXCEED", "", "", LATER),
    (429, "", "", "", LATER),
    (400, "FREQUENCY_LIMITED", "", "", LATER),
    (403, "RATELIMIT_EXCEEDED", "", "", LATER),
    (404, "RATE_LIMITED", "", "", LATER),
    (400, "INVALID_REQUEST", "", "268435472", LATER),
    (500, "SYSTEM_ERROR", "", "", NEXT_HOST),
    (502, "", "", "", NEXT_HOST),
    (503, "", "", "", NEXT_HOST),
    (599, "", "", "", NEXT_HOST),
    (302, "", "", "", NEXT_HOST),
    # A code nobody knows is retried, never final: busy, locked, frozen, conflict.
    (400, "ACCOUNT_FROZEN", "", "", ASK),
    (408, "REQUEST_TIMEOUT", "", "", ASK),
    (409, "CONFLICT", "", "", ASK),
    (423, "LOCKED", "", "", ASK),
    (425, "TOO_EARLY", "", "", ASK),
    (422, "ANYTHING_NEW", "", "", ASK),
    # What another status makes of the same phrases: they are only known for 400.
    (500, "PARAM_ERROR", "校验完结凭证错误", "", NEXT_HOST),
    (500, "ORDER_DONE", "", "271316598", NEXT_HOST),
    (500, "FREQUENCY_LIMITED", "", "", NEXT_HOST),
    (500, "SIGN_ERROR", "", "", NEXT_HOST),
    (500, "NO_AUTH", "", "", NEXT_HOST),
    (500, "ORDER_NOT_EXIST", "", "", NEXT_HOST),
    (422, "ANYTHING_NEW", "服务ID不存在", "", ASK),
    (404, "PARAM_ERROR", "校验完结凭证错误", "", ASK),
    (422, "PARAM_ERROR", "订单重入参数校验失败", "271316598", ASK),
]


@pytest.mark.parametrize("verified", [True, False])
@pytest.mark.parametrize(("status", "code", "message", "tail", "then"), OFFICIAL)
def test_a_refusal_leads_to_what_its_source_says(
    status: int, code: str, message: str, tail: str, then: Action, verified: bool
) -> None:
    problem = Problem(status, code, message, request_id=f"08F7-{tail}", verified=verified)
    assert rule_of(ServiceError(problem)).then is then


# Pace, signature and set-up are known under any 4xx.
ONLY_AT_400 = [
    (code, message, tail)
    for status, code, message, tail, then in OFFICIAL
    if status == 400 and then not in (LATER, SETUP, REREAD)
]


@pytest.mark.parametrize(("code", "message", "tail"), ONLY_AT_400)
def test_what_is_known_of_a_400_is_not_read_into_another_status(code: str, message: str, tail: str) -> None:
    problem = Problem(422, code, message, request_id=f"08F7-{tail}", verified=True)
    assert rule_of(ServiceError(problem)).name == reply_rules.UNLISTED


def test_a_page_of_a_proxy_says_nothing_about_the_merchant() -> None:
    for status in (400, 401, 403, 404, 408, 413):
        assert rule_of(ServiceError(Problem(status))).then is ASK
    assert rule_of(ServiceError(Problem(401, verified=True))).then is REREAD


def test_only_a_closed_list_is_final() -> None:
    final = {row.name for row in reply_rules.REPLIES if row.then in (REPEAT, REJECT, UNKNOWN)}
    assert final == {"PARAM_ERROR", "404 ORDER_NOT_EXIST", "risk cap, end before start, out of range"}


def test_what_may_have_been_applied_leaves_doubt() -> None:
    doubtful = {row.name for row in reply_rules.REPLIES if row.doubtful}
    assert doubtful == {
        "no whole reply",
        "2xx not verified",
        "200 that contradicts what was asked",
        "202, 204",
        "re-entry with other parameters",
        "a debit is running or has failed",
        "state does not allow it",
        reply_rules.UNLISTED,
        "5xx, 3xx and all else",
    }


@pytest.mark.parametrize("message", ["mch_id不存在", "当前 mch_id  不存在", "MCH_ID 不存在"])
def test_a_phrase_is_known_in_any_spacing_and_capitals(message: str) -> None:
    problem = Problem(404, "RESOURCE_NOT_EXISTS", message, verified=True)
    assert rule_of(ServiceError(problem)).then is SETUP


def test_words_count_in_the_detail_as_well() -> None:
    problem = Problem(400, "PARAM_ERROR", "参数错误", detail="订单重入参数校验失败", verified=True)
    assert rule_of(ServiceError(problem)).then is ACCEPTED


def test_an_internal_code_counts_only_behind_the_last_hyphen() -> None:
    problem = Problem(400, "PARAM_ERROR", request_id="271316598-0", verified=True)
    assert rule_of(ServiceError(problem)).then is REPEAT


@pytest.mark.parametrize(
    ("error", "then"),
    [
        (NothingSent("refused"), Action.RETRY),
        (NoAnswer("timeout"), NEXT_HOST),
        (Unverifiable(Problem(200)), NEXT_HOST),
        (Unverifiable(Problem(202)), NEXT_HOST),
        (UnexpectedReply(Problem(200, verified=True)), ACCEPTED),
        (UnexpectedReply(Problem(202, verified=True)), ASK),
        (UnexpectedReply(Problem(204, verified=True)), ASK),
    ],
    ids=repr,
)
def test_an_error_without_a_refusal_has_its_own_action(error: Exception, then: Action) -> None:
    assert rule_of(error).then is then


def test_each_raised_error_has_a_name_that_the_workflow_retries_or_not() -> None:
    assert {
        Action.RETRY: WeChatPayUnavailable,
        LATER: WeChatPayRateLimited,
        Action.MISCONFIGURED: MerchantMisconfigured,
    } == reply_rules.ERRORS


OPEN, UNCONFIRMED, NOT_READY, DONE, CONFLICT, NEVER, UNCLEAR = Verdict
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
    ("CREATED", None, None, UNCONFIRMED, NOT_READY),
    ("EXPIRED", None, None, DONE, NEVER),
    ("SOMETHING_NEW", 2, 1200, UNCLEAR, UNCLEAR),
]


@pytest.mark.parametrize(("state", "finish_type", "amount", "cancel", "finish"), STATES)
def test_a_state_means_what_the_official_page_says(
    state: str, finish_type: int | None, amount: int | None, cancel: Verdict, finish: Verdict
) -> None:
    answer = {"state": state, "finish_type": finish_type, "total_amount": amount}
    assert of_state(cancelling=True, amount=0, **answer) is cancel
    assert of_state(cancelling=False, amount=1200, **answer) is finish


def test_an_order_is_open_until_it_is_settled_or_expired() -> None:
    assert set(reply_rules.STILL_OPEN) == {OPEN, UNCONFIRMED, NOT_READY}


def test_no_row_can_be_changed() -> None:
    for row in (*reply_rules.REPLIES, *reply_rules.STATES):
        with pytest.raises(AttributeError):
            row.source = "V"  # type: ignore[misc]
