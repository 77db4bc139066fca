"""Reads requests: their headers, query and body, by the rules in force."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import parse_qsl, unquote_to_bytes

from wechatpay_sandbox.fields import Field
from wechatpay_sandbox.rules import Rulebook
from wechatpay_sandbox.times import is_time

ORDER_NO = re.compile(r"[0-9A-Za-z_\-|*]{1,32}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_OUTSIDE_BMP = re.compile("[\U00010000-\U0010ffff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class Reader:
    """Reads requests by the rules in force."""

    def __init__(self, rules: Rulebook) -> None:
        self.rules = rules

    def check_headers(self, headers: Mapping[str, str], method: str) -> None:
        """Refuse a request without the headers APIv3 requires; names in lower case."""
        if "application/json" not in headers.get("accept", "") or not headers.get("user-agent", "").strip():
            self.rules.refuse("request.headers", "Accept, User-Agent", location="header")
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if method == "POST" and media_type != "application/json":
            self.rules.refuse("request.content_type", "Content-Type", location="header")

    def order_number(self, segment: str) -> str:
        """The order number of a path, percent-decoded once."""
        try:
            number = unquote_to_bytes(segment).decode("ascii")
        except UnicodeDecodeError:
            number = ""
        return self.check_order_number(number, location="path")

    def check_order_number(self, number: str, *, location: str) -> str:
        """Refuse what can be no order number."""
        if ORDER_NO.fullmatch(number) is None:
            self.rules.refuse("request.out_order_no", "out_order_no", location=location, value=number)
        return number

    def query(self, query: str, names: Sequence[str]) -> dict[str, str]:
        """The parameters of a query: each of these once, none empty, nothing else."""
        try:
            pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict")
        except ValueError:
            pairs = []
            self.rules.refuse("request.query", "query", location="query")
        for name, _ in pairs:
            if name not in names:
                self.rules.refuse("request.query", name, location="query")
        values = dict(pairs)
        for name in names:
            if not values.get(name):
                self.rules.refuse("request.query_required", name, location="query")
        if len(pairs) != len(values):
            self.rules.refuse("request.query", "query", location="query")
        self.check_order_number(values["out_order_no"], location="query")
        return values

    def document(self, body: bytes, prefix: str, fields: Mapping[str, Field]) -> dict[str, Any]:
        """The object of a body, when every field keeps its limits; nulls that are tolerated are gone."""
        try:
            document = json.loads(
                body.decode(), object_pairs_hook=self._unique, parse_constant=self._no_constant
            )
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            self.rules.refuse("json.syntax", "/")
            return {}
        return self._object(document, prefix, fields, "")

    def _unique(self, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        document = dict(pairs)
        if len(document) != len(pairs):
            self.rules.refuse("json.duplicate_key", "/")
        return document

    def _no_constant(self, name: str) -> NoReturn:
        raise ValueError(f"{name} is not JSON")

    def _object(
        self, document: Mapping[str, Any], prefix: str, fields: Mapping[str, Field], at: str
    ) -> dict[str, Any]:
        checked: dict[str, Any] = {}
        for name, value in document.items():
            field = fields.get(name)
            if field is None:
                self.rules.refuse("json.unknown_field", f"{at}/{name}")
            elif value is None:
                self.rules.refuse("json.null", f"{at}/{name}")
            else:
                checked[name] = self._value(value, field, f"{prefix}.{name}", f"{at}/{name}")
        for name, field in fields.items():
            if field.required and name not in checked:
                self.rules.refuse(f"{prefix}.{name}.required", f"{at}/{name}")
        return checked

    def _value(self, value: Any, field: Field, rule: str, at: str) -> Any:
        if type(value) is not field.type:
            self.rules.refuse(f"{rule}.type", at, value=value)
        if isinstance(value, str):
            self._text(value, rule, at)
        size = value if isinstance(value, int) else len(value)
        if field.high and not field.low <= size <= field.high:
            self.rules.refuse(f"{rule}.length", at)
        if field.time and value not in field.words and not is_time(value):
            self.rules.refuse(f"{rule}.time", at, value=value)
        if isinstance(value, dict):
            return self._object(value, rule, field.fields or {}, at)
        if isinstance(value, list):
            return [self._item(item, field, rule, f"{at}/{index}") for index, item in enumerate(value)]
        return value

    def _item(self, item: Any, field: Field, rule: str, at: str) -> dict[str, Any]:
        if not isinstance(item, dict):
            self.rules.refuse(f"{rule}.type", at)
        return self._object(item, rule, field.fields or {}, at)

    def _text(self, value: str, rule: str, at: str) -> None:
        if _SURROGATE.search(value):
            self.rules.refuse("json.syntax", at)
        if _OUTSIDE_BMP.search(value):
            self.rules.refuse("text.four_bytes", at)
        if _CONTROL.search(value):
            self.rules.refuse("text.control", at)
        if value and not value.strip():
            self.rules.refuse("text.blank", at)


def unquote_loosely(segment: str) -> str:
    """A percent-decoded name for the records, whatever it is; never used to decide."""
    return unquote_to_bytes(segment).decode(errors="replace")


def parse_leniently(body: bytes) -> dict[str, Any]:
    """An object if the body is one, else an empty one."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
