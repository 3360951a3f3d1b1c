"""One line per decision and effect on stderr, as text or JSON; tokens never reach it."""

import json
import logging
import re
import sys
from datetime import UTC, datetime

from bot.settings import LogFormat

_TOKEN = re.compile(r"\b(?:xox[a-z]|xapp)-[\w-]+")
# Some of them log addresses as they are asked, and an address may hold a token.
NOISY = ("apscheduler", "slack_bolt", "slack_sdk", "urllib3", "httpx", "uvicorn", "matplotlib", "alembic")


def configure(format: LogFormat) -> None:
    """Send our lines to stderr; of the libraries only warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if format is LogFormat.JSON else _Text())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


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
