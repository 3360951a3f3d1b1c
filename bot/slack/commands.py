"""The command grammar: text in, a request or a refusal that teaches out; pure, and never a traceback."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, tzinfo

from bot.requests import (
    AdoptRequest,
    ApproveRequest,
    DriftRequest,
    HelpRequest,
    ListRequest,
    OverrideRequest,
    PauseRequest,
    PreflightRequest,
    Request,
    ResumeRequest,
    RollbackRequest,
    StatusRequest,
)
from bot.slack import schedule_words, start_words
from bot.slack.grammar import Words, bad, looks_like_release, note, quoted, subject, version
from bot.slack.guide import TOPICS
from bot.slack.words import LONGEST, nearest, plain, unquoted, words
from strategies.events import DriftChoice
from strategies.guards import OVERRIDABLE
from strategies.reasons import ReasonCode, Refused

SCOPES = ("active", "scheduled", "mine", "all")
HELP_WORDS = frozenset({"help", "-h", "--help", "?"})


def parse(text: str, now: datetime, zone: tzinfo) -> Request | Refused:
    """What a slash command asks for; refused with BAD_INPUT or BAD_STEPS and what is allowed."""
    return _parse(text, now, zone, "")


def parse_in_thread(text: str, release: str, now: datetime, zone: tzinfo) -> Request | Refused:
    """What a mention asks for inside the thread of `release`, which need not be named."""
    return _parse(text, now, zone, release)


def _parse(text: str, now: datetime, zone: tzinfo, release: str) -> Request | Refused:
    if len(text) > LONGEST:
        return bad(f"A command takes up to {LONGEST:,} characters; this one has {len(text):,}.")
    found = words(text)
    if not found:
        return HelpRequest()
    verb, args = _verb(found)
    if verb not in TOPICS:
        return _unknown(found[0])
    if any(word.lower() in HELP_WORDS for word in args[:1]) and verb != "help":
        return HelpRequest(verb)
    rest = _behind(plain(text), len(found) - len(args))
    if release and verb in _ABOUT_ONE and not (args and looks_like_release(args[0])):
        args, rest = [release, *args], f"{release} {rest}"
    return _READERS[verb](Words(verb, tuple(args), unquoted(_behind(rest, 1)), now, zone))


def _verb(found: list[str]) -> tuple[str, list[str]]:
    first = found[0].lower().lstrip("/")
    if first in HELP_WORDS:
        return "help", found[1:]
    if first == "roll" and len(found) > 1 and found[1].lower() == "back":
        return "rollback", found[2:]
    plain_verb = first.replace("-", "").replace("_", "")
    return (plain_verb if plain_verb in TOPICS else first), found[1:]


def _unknown(word: str) -> Refused:
    near = nearest(word, TOPICS)
    meant = f" Did you mean {near}?" if near else ""
    return bad(f"{quoted(word)} is no subcommand.{meant} There are {', '.join(TOPICS)}.", near)


def _behind(text: str, count: int) -> str:
    parts = text.split(None, count)
    return parts[count] if len(parts) > count else ""


def _status(words: Words) -> Request | Refused:
    if not words.args:
        return StatusRequest()
    found = subject(words)
    return found if isinstance(found, Refused) else StatusRequest(found)


def _list(words: Words) -> Request | Refused:
    scope = words.args[0].lower() if words.args else SCOPES[0]
    if scope in SCOPES and len(words.args) <= 1:
        return ListRequest(scope)
    near = nearest(scope, SCOPES)
    meant = f" Did you mean list {near}?" if near and near != scope else ""
    return bad(f"{quoted(' '.join(words.args))} is no list.{meant} There are {', '.join(SCOPES)}.", "list")


def _approve(words: Words) -> Request | Refused:
    found, text = subject(words), note(words)
    if isinstance(found, Refused):
        return found
    return text if isinstance(text, Refused) else ApproveRequest(found, text)


def _override(words: Words) -> Request | Refused:
    found = subject(words)
    if isinstance(found, Refused):
        return found
    rules = {rule.value for rule in OVERRIDABLE}
    rule = words.args[1].upper() if len(words.args) > 1 else ""
    if rule in rules:
        # The words behind the rule; quotes around all of them are no part of the reason.
        words = replace(words, rest=unquoted(words.rest.partition(" ")[2]))
    text = note(words)
    if isinstance(text, Refused):
        return text
    if not text:
        return bad("An override needs a reason, which everybody will read.", "override")
    if rule in rules:
        return OverrideRequest(found, ReasonCode(rule), text)
    return ApproveRequest(found, override_reason=text)


def _pause(words: Words) -> Request | Refused:
    found, text = subject(words), note(words)
    if isinstance(found, Refused):
        return found
    return text if isinstance(text, Refused) else PauseRequest(found, text)


def _resume(words: Words) -> Request | Refused:
    found = subject(words)
    if isinstance(found, Refused):
        return found
    if len(words.args) > 1:
        return bad(f"resume takes a release and nothing else, not {quoted(' '.join(words.args[1:]))}.", "resume")
    return ResumeRequest(found)


def _rollback(words: Words) -> Request | Refused:
    found = subject(words)
    # A reason that is too long is cut rather than refused: nothing may stand in the way of going back.
    return found if isinstance(found, Refused) else RollbackRequest(found, words.rest[:1_000])


def _drift(words: Words) -> Request | Refused:
    found = subject(words)
    if isinstance(found, Refused):
        return found
    choices = tuple(choice.value for choice in DriftChoice)
    choice = words.args[1].lower() if len(words.args) == 2 else ""
    if choice in choices:
        return DriftRequest(found, choice)
    near = nearest(choice, choices)
    meant = f" Did you mean {near}?" if near else ""
    return bad(f"drift needs one of {', '.join(choices)} behind the release.{meant}", "drift")


def _help(words: Words) -> Request | Refused:
    topic = words.args[0].lower().lstrip("/") if words.args else ""
    if not topic or topic in TOPICS:
        return HelpRequest(topic)
    return _unknown(words.args[0])


def _preflight(words: Words) -> Request | Refused:
    if not words.args:
        return bad("preflight needs a service.", "preflight")
    service = subject(words)
    if isinstance(service, Refused):
        return service
    if len(words.args) > 2:
        return bad(f"preflight takes a service and a version, not {quoted(' '.join(words.args[2:]))}.", "preflight")
    if len(words.args) == 1:
        return PreflightRequest(service)
    named = version(words.args[1], "preflight")
    return named if isinstance(named, Refused) else PreflightRequest(service, named)


def _adopt(words: Words) -> Request | Refused:
    if not words.args:
        return bad("adopt needs a service.", "adopt")
    service = subject(words)
    if isinstance(service, Refused):
        return service
    rest = list(words.args[1:])
    is_undo = bool(rest) and rest[-1].lower() == "undo"
    if is_undo:
        rest.pop()
    if len(rest) > 1 or (is_undo and rest):
        return bad(f"adopt takes a service and a version, or undo, not {quoted(' '.join(words.args[1:]))}.", "adopt")
    named = version(rest[0], "adopt") if rest else ""
    return named if isinstance(named, Refused) else AdoptRequest(service, named, is_undo)


_ABOUT_ONE = frozenset({"status", "approve", "override", "pause", "resume", "rollback", "schedule", "drift"})
_READERS: Mapping[str, Callable[[Words], Request | Refused]] = {
    "start": start_words.read,
    "plan": start_words.read,
    "preflight": _preflight,
    "adopt": _adopt,
    "status": _status,
    "list": _list,
    "approve": _approve,
    "override": _override,
    "pause": _pause,
    "resume": _resume,
    "rollback": _rollback,
    "schedule": schedule_words.read,
    "drift": _drift,
    "help": _help,
}
