"""One line per decision and effect on stderr, as text or JSON; tokens never reach it."""

import json
import logging
import re
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from bot.settings import LogFormat

_TOKEN = re.compile(r"\b(?:xox[a-z]|xapp)-[\w-]+")
# Some of them log addresses as they are asked, and an address may hold a token.
NOISY = ("apscheduler", "slack_bolt", "slack_sdk", "urllib3", "httpx", "uvicorn", "matplotlib", "alembic")

QUIET = 60.0  # seconds in which a warning is not repeated


def configure(format: LogFormat) -> None:
    """Send our lines to stderr; of the libraries only warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Repeats())
    handler.setFormatter(_Json() if format is LogFormat.JSON else _Text())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


class Repeats(logging.Filter):
    """Says a warning once a minute: while a neighbour is down, each tick has the same one."""

    def __init__(self, passed: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._passed = passed
        self._lock = threading.Lock()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """False for a warning that was said in the last minute."""
        if record.levelno != logging.WARNING:
            return True
        text, now = f"{record.name} {record.getMessage()}", self._passed()
        with self._lock:
            self._said = {each: at for each, at in self._said.items() if now - at < QUIET}
            is_new = text not in self._said
            if is_new:
                self._said[text] = now
        return is_new


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = f"{_at(record)} {record.levelname.lower():7} {record.name} {record.getMessage()}"
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        return redacted(text)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        if record.exc_info:
            line["traceback"] = redacted(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def redacted(text: str) -> str:
    """The text with every Slack token cut out."""
    return _TOKEN.sub("(token)", text)


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
