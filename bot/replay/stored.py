"""The state between two runs of a replay, as text."""

import json
from typing import Any

from bot.replay.configs import question
from bot.replay.session import Release, Session
from bot.replay.values import BadLine
from strategies.gates.ledger import document, restored

FORMAT = "sluice-replay-1"


def dumped(session: Session) -> str:
    """All releases with their questions and evidence."""
    releases = {
        name: {
            "config": release.config,
            "print": release.print,
            "last": release.last,
            "evidence": document(release.trial),
        }
        for name, release in session.releases.items()
    }
    return json.dumps({"format": FORMAT, "releases": releases}, separators=(",", ":"), allow_nan=False)


def loaded(text: str) -> Session:
    """The session as it was; BadLine for what this command has not written."""
    try:
        stored = json.loads(text)
        if stored["format"] != FORMAT:
            raise BadLine(f"its format is {stored['format']!r}, not {FORMAT!r}")
        releases = {name: _release(kept) for name, kept in stored["releases"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadLine(f"it is no state of a replay: {error}") from error
    return Session(releases)


def _release(kept: dict[str, Any]) -> Release:
    trial = restored(question(kept["config"]), kept["evidence"])
    return Release(kept["config"], kept["print"], trial, kept["last"], is_fresh=False)
