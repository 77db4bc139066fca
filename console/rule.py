"""Which row of the product's decision table decided about a reply, and how sure that row is."""

import re
from dataclasses import dataclass

from wechatpay.errors import Problem, ServiceError
from wechatpay.reply_rules import REPLIES

from life import Run

_PROBLEM = re.compile(r"HTTP (?P<status>[1-5][0-9]{2})(?P<rest>(?: \| [^|\n]*)*)")
_UNVERIFIED = "signature not verified"
_OK = range(200, 300)


@dataclass(frozen=True)
class Rule:
    """A row of the table, as people read it.

    Attributes:
        about: the reply that it fits.
        source: how it is known: V official, T a third party's copy, I inferred, D decided here.
    """

    about: str
    name: str
    then: str
    source: str


def of(run: Run) -> Rule | None:
    """Return the rule that decided last; None when there was none.

    The functions' logs name it. Where they are not at hand, it is found by what the errors say.
    """
    if (named := next((row for row in REPLIES if row.name == run.rule), None)) is not None:
        return Rule("", named.name, named.then.name, named.source)
    texts = [attempt.message for step in run.steps for attempt in step.attempts if attempt.error]
    texts += [run.message] if run.error else []
    for text in reversed(texts):
        if (problem := _problem(text)) is not None:
            return _rule(problem)
    return None


def _rule(problem: Problem) -> Rule | None:
    if problem.status in _OK:
        return None
    error = ServiceError(problem)
    row = next((each for each in REPLIES if each.fits(error)), None)
    if row is None:
        return None
    return Rule(str(problem), row.name, row.then.name, row.source)


def _problem(text: str) -> Problem | None:
    """Read back what `Problem` writes: `HTTP 403 | CODE | text | Request-ID ... | signature not verified`."""
    problem = _PROBLEM.search(text)
    if problem is None:
        return None
    parts = [part.strip() for part in problem["rest"].split("|") if part.strip()]
    verified = not any(part.startswith(_UNVERIFIED) for part in parts)
    request_id = next(
        (part.removeprefix("Request-ID ") for part in parts if part.startswith("Request-ID ")), ""
    )
    texts = [part for part in parts if not part.startswith((_UNVERIFIED, "Request-ID "))]
    code = texts.pop(0) if texts and re.fullmatch(r"[A-Z][A-Z0-9_]+", texts[0]) else ""
    request_id = request_id.split(";")[0].split()[0] if request_id else ""
    return Problem(int(problem["status"]), code, " | ".join(texts), "", request_id, verified)
