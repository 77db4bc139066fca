"""The JSON Schemas in events/schemas, as a consumer's validator reads them."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

EVENTS = Path(__file__).parents[1] / "events"


def _pattern(_: object, pattern: str, instance: object, __: object) -> Iterator[ValidationError]:
    """Match as ECMA-262, which the standard names: `$` is the very end, not before a last line break."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_Validator = extend(Draft202012Validator, {"pattern": _pattern})


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """Every schema by the type of event it is about."""
    documents = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(EVENTS.glob("schemas/*.json"))
    ]
    return {schema["title"]: schema for schema in documents}


def problems(detail_type: str, detail: object) -> list[str]:
    """What the schema of this type of event has against a detail."""
    validator = _Validator(schemas()[detail_type])
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(detail)]


def undocumented(detail_type: str, detail: dict[str, Any]) -> set[str]:
    """Fields of a detail, and of its `error` and `payment`, that the schema does not name."""
    known = schemas()[detail_type]["properties"]
    unknown = detail.keys() - known
    for name in {"error", "payment"} & detail.keys() & known.keys():
        unknown |= {f"{name}.{field}" for field in detail[name].keys() - known[name]["properties"]}
    return unknown
