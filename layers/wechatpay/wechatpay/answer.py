"""WeChat Pay's reply to one call: a verified answer to read field by field, or the error it amounts to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from .errors import Problem, ReplyError, ServiceError, UnexpectedReply, Unverifiable
from .reply_body import JSON, Malformed, json_object, problem_of, request_id

if TYPE_CHECKING:
    from .transport import Reply


@dataclass(frozen=True, eq=False, repr=False)
class Answer:
    """A verified 200 whose body is one JSON object.

    Attributes:
        body: may hold tickets and openids: nothing of it belongs into a log as it is.
        request_id: the reply's `Request-ID`.
    """

    body: JSON
    request_id: str

    @classmethod
    def of(cls, reply: Reply, secrets: Collection[str] = ()) -> Answer:
        """Read a reply whose signature holds.

        Args:
            reply: the reply.
            secrets: what was sent and no error may quote.

        Raises:
            ServiceError: another status than 2xx.
            UnexpectedReply: another 2xx than 200, or no JSON object.
        """
        if reply.status != HTTPStatus.OK:
            raise _error(reply, UnexpectedReply, "", secrets)
        try:
            return cls(json_object(reply.body), request_id(reply))
        except Malformed as exc:
            raise _error(reply, UnexpectedReply, "", secrets) from exc

    def text(self, name: str) -> str:
        """Return a text that must be there.

        Raises:
            UnexpectedReply: it is missing, empty or no text.
        """
        value = self.optional(name, str)
        if not value:
            raise self.unexpected(f"{name} is missing")
        return value

    def optional[T](self, name: str, kind: type[T]) -> T | None:
        """Return a field of exactly this type, None when it is absent or null.

        Raises:
            UnexpectedReply: it is of another type.
        """
        value = self.body.get(name)
        if value is None:
            return None
        if type(value) is not kind:  # isinstance would take true for 1
            raise self.unexpected(f"{name} must be {kind.__name__}")
        return value

    def unexpected(self, message: str) -> UnexpectedReply:
        """Return the error that this answer does not say what it must."""
        return UnexpectedReply(
            Problem(status=HTTPStatus.OK, message=message, request_id=self.request_id, verified=True)
        )


def unproven(reply: Reply, reason: Exception, secrets: Collection[str] = ()) -> ReplyError:
    """Return the error a reply amounts to that is not proven: ServiceError or Unverifiable."""
    return _error(reply, Unverifiable, str(reason), secrets)


def _error(reply: Reply, for_2xx: type[ReplyError], reason: str, secrets: Collection[str]) -> ReplyError:
    succeeded = HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES
    return (for_2xx if succeeded else ServiceError)(problem_of(reply, reason, secrets))
