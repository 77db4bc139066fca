"""Log lines in JSON, as Powertools writes them, with half the work for each."""

import json
import logging

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)
# What every record has; the rest is what the line was given to say.
_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({})))


class Lines(LambdaPowertoolsFormatter):
    """Writes what its base writes, times in UTC, going through a record only once."""

    def __init__(self) -> None:
        super().__init__(utc=True, use_rfc3339=True, json_serializer=_ENCODER.encode, json_deserializer=str)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        if record.exc_info or record.args:
            return super().format(record)
        line = {
            **self.log_format,
            "level": record.levelname,
            "location": f"{record.funcName}:{record.lineno}",
            "message": record.msg,
            "timestamp": self.formatTime(record),
            **{name: value for name, value in vars(record).items() if name not in _EVERY_RECORD},
            "xray_trace_id": self._get_latest_trace_id(),
        }
        return self.serialize({name: value for name, value in line.items() if value is not None})


def json_lines() -> Logger:
    """Return the logger of a function."""
    return Logger(logger_formatter=Lines())
