"""Logs on standard error: plain lines for people, or one JSON object a line for programs. Addresses in them show no secrets."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from syndtrack.urls import shown

Form = Literal["plain", "json"]
ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{0,20}://[^\s\"'<>]+")
# What every log record has; whatever else one carries was given with it.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def set_up(form: Form, stream: TextIO | None = None) -> None:
    """Send logs to standard error (or a stream): ours from INFO on, others' from WARNING on. The last call counts."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else Plain())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("syndtrack").setLevel(logging.INFO)


def without_secrets(text: str) -> str:
    """A text with the secrets of all addresses in it hidden."""
    return ADDRESS.sub(lambda found: shown(found[0]), text)


class Plain(logging.Formatter):
    """The message; where it is no mere notice, its level first; below it a traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The lines."""
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        trace = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return without_secrets(level + record.getMessage() + trace)


class JsonLines(logging.Formatter):
    """An object: time, level, logger, message, a traceback as `exception`, and whatever was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
        }
        if record.exc_info:
            said["exception"] = without_secrets(self.formatException(record.exc_info))
        given = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        said |= {name: without_secrets(value) if isinstance(value, str) else value for name, value in given.items()}
        return json.dumps(said, ensure_ascii=False, default=str)
