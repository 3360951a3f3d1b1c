"""`start` and `plan`: service, version, and options in any order."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

import strategies.matches
import strategies.steps
from bot import durations
from bot.requests import StartRequest
from bot.slack import times
from bot.slack.grammar import NOTE, Words, bad, guard_rules, image, quoted, subject, version
from bot.slack.words import nearest
from strategies.plan import Approve, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.routing import HUNDRED, Match, percent
from strategies.steps import Steps

OPTIONS = (
    *("steps", "hold", "approve", "baseline", "at", "strategy"),
    *("match", "mirror", "sticky", "image", "override", "reason"),
)
STRATEGIES = tuple(strategy.value for strategy in StrategyName)
REPEATED = frozenset({"match"})
STICKY = ("cookie", "no")
MOST_STEPS = 30
RISE = ("from", "by", "every", "to")
STEPS_ALLOWED = "Steps are percents that rise from above 0 to 100, for example steps=5,25,50,100."
_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Options:
    """Raw option values by name; a time keeps its words apart."""

    values: Mapping[str, str] = field(default_factory=dict)
    matches: tuple[str, ...] = ()
    at: datetime | None = None


def read(words: Words) -> StartRequest | Refused:
    """A start, or its dry run when the verb is `plan`."""
    service = subject(words)
    if isinstance(service, Refused):
        return bad(f"{words.verb} needs a service and a version.", words.verb) if not words.args else service
    if len(words.args) < 2 or "=" in words.args[1]:
        return bad(f"{words.verb} needs a version behind {service}.", words.verb)
    candidate = version(words.args[1], words.verb)
    if isinstance(candidate, Refused):
        return candidate
    options = _options(words)
    if isinstance(options, Refused):
        return options
    said = " ".join(map(_quoted, words.args))
    request = StartRequest(service, candidate, at=options.at, dry=words.verb == "plan", words=said)
    return _typed(request, options, words.verb)


def _quoted(word: str) -> str:
    """The word as it is typed again: what holds spaces stands in quotes."""
    name, sign, value = word.partition("=")
    return word if " " not in word else f'{name}="{value}"' if sign and " " not in name else f'"{word}"'


def steps(text: str) -> Steps | Refused:
    """Rising percents above 0 and up to 100; the plan itself asks that the last one is 100.

    Written as a list, as `from 5 by 10 every 15m to 100`, or as pairs of baseline:candidate.
    """
    if ":" not in text and not text.lower().startswith("from "):
        listed = _listed(text)
        return listed if isinstance(listed, Refused) else Steps(listed)
    found = strategies.steps.read(text, durations.read)
    if isinstance(found, Refused):
        return found
    trouble = strategies.steps.trouble(found.shares, last=None)
    if len(found.shares) > MOST_STEPS:
        trouble = f"{len(found.shares)} steps are more than {MOST_STEPS}."
    return _bad_steps(trouble) if trouble else found


def _listed(text: str, what: str = "step") -> tuple[Decimal, ...] | Refused:
    found: list[Decimal] = []
    for part in re.split(r"[,;/]", text):
        word = part.strip().rstrip("%").strip()
        if not _NUMBER.fullmatch(word):
            return _bad_steps(f"{quoted(part.strip()) if part.strip() else 'An empty step'} is no {what}.")
        step = Decimal(word)
        if not Decimal(0) < step <= HUNDRED:
            return _bad_steps(f"Step {percent(step)} is not above 0 and at most 100.")
        if found and step <= found[-1]:
            return _bad_steps(f"Step {percent(step)} does not rise above {percent(found[-1])}.")
        found.append(step)
    if len(found) > MOST_STEPS:
        return _bad_steps(f"{len(found)} steps are more than {MOST_STEPS}.")
    return tuple(found)


def _bad_steps(text: str) -> Refused:
    return Refused(ReasonCode.BAD_STEPS, f"{text} {STEPS_ALLOWED}")


def _options(words: Words) -> _Options | Refused:
    found = _Options()
    args = list(words.args[2:])
    while args:
        if args[0].lower() == "from":
            args.insert(0, "steps")
        taken = _option(args, words, found)
        if isinstance(taken, Refused):
            return taken
        found, used = taken
        args = args[used:]
    return found


def _option(args: Sequence[str], words: Words, found: _Options) -> tuple[_Options, int] | Refused:
    name, sign, value = args[0].lstrip("-").partition("=")
    name = name.lower()
    if not sign and name in STRATEGIES:
        name, sign, value = "strategy", "=", name
    if name not in OPTIONS:
        return _unknown(args[0].lstrip("-"), bool(sign), words.verb)
    if name in found.values or (name == "at" and found.at):
        return bad(f"{name} is given twice.", words.verb)
    # "steps 5,25" means "steps=5,25": the value is the next word.
    used = 1 if sign else 2
    rest = [value, *args[1:]] if sign else list(args[1:])
    if name == "steps" and rest and rest[0].lower() == "from":
        row = _rise(rest)
        return replace(found, values={**found.values, name: " ".join(row)}), used + len(row) - 1
    if not rest or not rest[0]:
        return bad(f"{name} needs a value, for example {_EXAMPLES[name]}.", words.verb)
    if name in REPEATED:
        return replace(found, matches=(*found.matches, rest[0])), used
    if name != "at":
        return replace(found, values={**found.values, name: rest[0]}), used
    reading = times.read([part for word in rest for part in word.split()], words.now, words.zone)
    if isinstance(reading, Refused):
        return reading
    return replace(found, at=reading.at), _words_used(rest, reading.taken) + used - 1


def _rise(words: Sequence[str]) -> list[str]:
    """The words of a rise: each of from, by, every and to with the word behind it."""
    taken: list[str] = []
    while len(taken) < len(words) and words[len(taken)].lower() in RISE:
        taken += words[len(taken) : len(taken) + 2]
    return taken


def _words_used(rest: Sequence[str], taken: int) -> int:
    # A quoted value is one word of the command and several of the time.
    used = 0
    while taken > 0:
        taken -= len(rest[used].split())
        used += 1
    return used


_EXAMPLES = {
    "steps": "steps=5,25,50,100",
    "hold": "hold=10m",
    "approve": "approve=every",
    "baseline": "baseline=v1",
    "at": "at=22:30",
    "strategy": "strategy=canary",
    "match": "match=header:x-beta=1",
    "mirror": "mirror=10",
    "sticky": "sticky=cookie",
    "image": "image=registry.example.com/shop/reviews:v2",
    "override": "override=STATEFUL",
    "reason": 'reason="tested by hand, see INC-7"',
}


def _unknown(word: str, has_value: bool, verb: str) -> Refused:
    name = word.partition("=")[0]
    near = nearest(name, OPTIONS if has_value else (*STRATEGIES, *OPTIONS))
    meant = f" Did you mean {_EXAMPLES.get(near, near)}?" if near else ""
    kind = "option" if has_value else "strategy or option"
    allowed = f"Options are {', '.join(OPTIONS)}; strategies: {', '.join(STRATEGIES)}."
    return bad(f"{quoted(name)} is no {kind} of {verb}.{meant} {allowed}", verb)


def _typed(request: StartRequest, options: _Options, verb: str) -> StartRequest | Refused:
    if options.matches:
        found = _matches(options.matches, request.version)
        if isinstance(found, Refused):
            return found
        request = replace(request, matches=found)
    for name, value in options.values.items():
        changed = _with(request, name, value, verb)
        if isinstance(changed, Refused):
            return changed
        request = changed
    if bool(request.overrides) != bool(request.override_reason):
        lacking = "a reason, which everybody will read" if request.overrides else "what it overrides"
        given = "override" if request.overrides else "reason"
        return bad(f"{given}= needs {lacking}: {_EXAMPLES['override']} {_EXAMPLES['reason']}.", verb)
    return request


def _matches(written: Sequence[str], candidate: str) -> tuple[Match, ...] | Refused:
    found: list[Match] = []
    for text in written:
        match = strategies.matches.read(text, candidate)
        if isinstance(match, Refused):
            return match
        found.append(match)
    return tuple(found)


def _with(request: StartRequest, name: str, value: str, verb: str) -> StartRequest | Refused:
    if name == "steps":
        found = steps(value)
        if isinstance(found, Refused):
            return found
        # Said in so many words, the hold stands whatever the timetable says.
        return replace(request, steps=found.shares, hold=request.hold if request.hold is not None else found.hold)
    if name == "hold":
        length: timedelta | None = durations.read(value)
        return (
            replace(request, hold=length)
            if length is not None
            else bad(f"hold={value[:40]} is not understood; give {durations.ALLOWED}, at most 30 days.", verb)
        )
    if name == "mirror":
        percents = _listed(value, "mirror")
        return percents if isinstance(percents, Refused) else replace(request, mirror=percents)
    if name == "baseline":
        baseline = version(value, verb)
        return baseline if isinstance(baseline, Refused) else replace(request, baseline=baseline)
    if name == "image":
        found_image = image(value, verb)
        return found_image if isinstance(found_image, Refused) else replace(request, image=found_image)
    if name == "reason":
        return replace(request, override_reason=value[:NOTE])
    if name == "override":
        rules = guard_rules(value.split(","), verb)
        return rules if isinstance(rules, Refused) else replace(request, overrides=rules)
    return _with_word(request, name, value.lower(), verb)


def _with_word(request: StartRequest, name: str, value: str, verb: str) -> StartRequest | Refused:
    kinds = {"approve": tuple(word.value for word in Approve), "sticky": STICKY}
    allowed = kinds.get(name, STRATEGIES)
    if value not in allowed:
        near = nearest(value, allowed)
        meant = f" Did you mean {name}={near}?" if near else ""
        return bad(f"{name}={value[:40]} is not understood.{meant} It is one of {', '.join(allowed)}.", verb)
    if name == "approve":
        return replace(request, approve=Approve(value))
    if name == "sticky":
        return replace(request, is_sticky=value == "cookie")
    return replace(request, strategy=StrategyName(value))
