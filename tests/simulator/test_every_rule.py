"""Every rule: the strict sandbox refuses what breaks it and says why; a tolerance lets it through."""

import json
import re
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from wechatpay_sandbox import APPID, MCHID, SERVICE_ID
from wechatpay_sandbox.arrivals import Request
from wechatpay_sandbox.core import Core
from wechatpay_sandbox.keys import Keys
from wechatpay_sandbox.orders import Orders
from wechatpay_sandbox.replies import Reply
from wechatpay_sandbox.rules import SOURCE
from wechatpay_sandbox.ruleset import RULES

from tests.simulator.conftest import Merchant
from tests.simulator.violations import CASES, NOW, NUMBER, QUERY, SMART_CANCELLING, Case, Violation, find

TOLERABLE = [name for name, rule in RULES.items() if not rule.firm]
FIRM = [name for name, rule in RULES.items() if rule.firm]


class World:
    """WeChat Pay's core without sockets, and a merchant who signs for itself."""

    def __init__(self, keys: Keys, seed: int = 1) -> None:
        self.core = Core(
            keys, Orders(MCHID, APPID, SERVICE_ID, None, Random(seed)), clock=lambda: NOW, random=Random(seed)
        )
        self.merchant = Merchant(keys.secret(APPID, SERVICE_ID), "")

    def open(self, opened: Mapping[str, Any] | None) -> None:
        if opened is not None:
            settings = dict(opened)
            before = settings.pop("opened_before", 0)
            self.core.orders.open(NUMBER, NOW - before, settings)

    def request(self, violation: Violation, *, changed: bool = True) -> Request:
        case = violation.case
        path = violation.path if changed and violation.path else case.path
        target = path if path.startswith("/") else f"/v3/payscore/{path}"
        document = violation.document() if changed else case.document
        body = b"" if case.document is None else json.dumps(document).encode()
        if changed and violation.body is not None:
            body = violation.body
        claims = {"timestamp": str(int(NOW))} | dict(violation.claims)
        signed = self.merchant.authorization(case.method, target, body, **claims)
        headers = self.merchant.headers(case.method, target, body, Authorization=signed)
        headers = {**headers, **violation.headers}
        return Request(case.method, target, {n: v for n, v in headers.items() if v is not None}, body)

    def ask(self, violation: Violation) -> Reply:
        self.open(violation.case.opened if violation.opened is None else violation.opened)
        if violation.before:
            assert self.core.answer(self.request(violation, changed=False)).status == 200
        request = self.request(violation)
        if violation.twice:
            assert self.core.answer(request).status == 200
        return self.core.answer(request)


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys(MCHID, "public_key")


@pytest.fixture
def world(keys: Keys) -> World:
    return World(keys)


@pytest.mark.parametrize("case", [*CASES.values(), SMART_CANCELLING, QUERY], ids=lambda case: case.path[:30])
def test_a_request_that_breaks_no_rule_is_accepted(world: World, case: Case):
    reply = world.ask(Violation(case))
    assert (reply.status, world.core.requests[-1]["refused"]) == (200, None)


@pytest.mark.parametrize("name", RULES)
def test_what_breaks_a_rule_is_refused_and_the_record_says_why(world: World, name: str):
    violation, rule = find(name), RULES[name]
    world.core.rules.tolerate(violation.also)
    reply = world.ask(violation)
    record = world.core.requests[-1]
    assert record["refused"] is not None, "it was accepted"
    assert (record["refused"]["rule"], record["refused"]["reason"]) == (name, rule.reason)
    assert record["refused"]["source"] == rule.source
    assert (reply.status, reply.tail) == (rule.status, rule.tail)
    if rule.code:
        refused = json.loads(reply.body)
        assert refused["code"] == rule.code
        assert rule.message in refused["message"]
    assert ("Wechatpay-Signature" in reply.headers) == (not rule.gateway)


@pytest.mark.parametrize("name", TOLERABLE)
def test_what_breaks_a_tolerated_rule_is_accepted(world: World, name: str):
    violation = find(name)
    world.core.rules.tolerate([name, *violation.also])
    reply = world.ask(violation)
    assert (reply.status, world.core.requests[-1]["refused"]) == (200, None)


@pytest.mark.parametrize("name", FIRM)
def test_a_firm_rule_cannot_be_tolerated(world: World, name: str):
    with pytest.raises(ValueError, match=f"{re.escape(repr(name))} cannot be tolerated"):
        world.core.rules.tolerate([name])


def test_every_rule_has_a_source_and_a_reason_in_plain_words():
    for name, rule in RULES.items():
        assert SOURCE.fullmatch(rule.source)
        assert rule.reason.count(" ") > 1, name


def test_the_same_requests_and_the_same_seed_bring_the_same_bytes(keys: Keys):
    requests = [World(keys).request(Violation(case)) for case in (QUERY, *CASES.values(), QUERY)]
    answers = []
    for seed in (7, 7, 8):
        world = World(keys, seed)
        world.open({})
        world.core.misbehaviour.set_chaos(0.5, 3, None)
        answers.append([world.core.answer(request) for request in requests])
    assert answers[0] == answers[1] != answers[2]
