"""One run of the replay: lines in, answers out, in the order of the lines."""

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import Any

from bot.replay.configs import history, question
from bot.replay.samples import sample
from bot.replay.values import BadLine, known, mapping, number, parsed, shown, text
from strategies.gates.question import Question
from strategies.gates.sentences import lowered
from strategies.gates.sequential import judge
from strategies.gates.trial import Decision, Finding, Look, Sample, Trial, opened
from strategies.verdicts import Outcome

_LOOK = ("release", "t", "weight", "baseline", "candidate")


@dataclass(slots=True)
class Release:
    """A release as the lines tell it: its question and a print of its first line, its trial, its last line's time.

    For a picture its looks are kept, and the baseline's requests and bad ones as they were known before the first.
    """

    config: dict[str, Any]
    print: str
    trial: Trial
    last: float | None = None
    is_fresh: bool = True
    looks: list[Look] = field(default_factory=list)
    recent: dict[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(slots=True)
class Session:
    """All releases of a run. `releases` is what the next run starts from; `is_pictured` keeps the looks as well."""

    releases: dict[str, Release] = field(default_factory=dict)
    lines: int = 0
    is_pictured: bool = False

    def feed(self, lines: Iterable[bytes]) -> tuple[list[dict[str, object]], str]:
        """The answers to a batch of lines, and what is wrong with the first bad one; empty when none is.

        Lines before a bad one are answered; nothing after it is read.
        """
        due: list[tuple[str, Trial, Look]] = []
        trouble = ""
        for line in lines:
            self.lines += 1
            try:
                if line.strip():
                    self._enter(parsed(line), due)
            except BadLine as error:
                trouble = f"line {self.lines}: {error}"
                break
        return self._answered(due), trouble

    def finish(self) -> list[dict[str, object]]:
        """The decisions that the end of the input brings for the releases of this run.

        They are not kept: with a stored state the next part of the input goes on where this one ended.
        """
        return [
            _ending(name, release.trial)
            for name, release in self.releases.items()
            if release.is_fresh and release.trial.decision is None
        ]

    def _enter(self, line: dict[str, Any], due: list[tuple[str, Trial, Look]]) -> None:
        name = text(line.get("release"), "release")
        if "config" in line:
            known(line, ("release", "config"), "the line")
            self._open(name, mapping(line["config"], "config"))
            return
        known(line, _LOOK, "the line")
        release = self.releases.get(name)
        if release is None:
            raise BadLine(f"a look of {shown(name)} before its config")
        look = _look(line, release.trial.question)
        if release.last is not None and look.t < release.last:
            raise BadLine(f"t of {shown(name)} falls from {release.last:g} to {look.t:g}")
        release.last, release.is_fresh = look.t, True
        if self.is_pictured:
            release.looks.append(look)
        if release.trial.decision is None:
            due.append((name, release.trial, look))

    def _open(self, name: str, config: dict[str, Any]) -> None:
        there = self.releases.get(name)
        if there is None:
            asked = question(config)
            trial = opened(asked, history(config.get("history"), asked))
            short = {key: value for key, value in config.items() if key != "history"}
            recent = {metric: (known.requests, known.bad) for metric, known in trial.accounts.items()}
            self.releases[name] = Release(short, _print(config), trial, recent=recent)
        elif there.print != _print(config):
            raise BadLine(f"a second config of {shown(name)} that differs from the first")

    def _answered(self, due: list[tuple[str, Trial, Look]]) -> list[dict[str, object]]:
        answers = []
        findings = judge([(trial, look) for _, trial, look in due])
        for (name, trial, _), finding in zip(due, findings, strict=True):
            if trial.decision is not None:
                continue  # decided by an earlier look of this batch
            answers.append(_answer(name, finding))
            if finding.decision is not None:
                trial.decision = finding.decision
                answers.append(_decision(name, finding.decision, finding.t, finding.decision_reason))
        return answers


def _print(config: dict[str, Any]) -> str:
    """What tells one config from another without its history, which may be long."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:32]


def written(answer: dict[str, object]) -> str:
    """One line of JSON; an answer holds texts, finite numbers and nulls alone."""
    return "{" + ", ".join([f'"{key}": {_json(value)}' for key, value in answer.items()]) + "}"


def _json(value: object) -> str:
    # Written by hand: a new encoder for each of a million lines is a tenth of the time.
    match value:
        case str():
            return encode_basestring(value)
        case float() if math.isfinite(value):
            return float.__repr__(value)
        case int():
            return int.__repr__(value)
        case None:
            return "null"
        case _:
            raise AssertionError(f"{value!r} in an answer")


def _look(line: dict[str, Any], asked: Question) -> Look:
    for key in ("t", "weight", "baseline", "candidate"):
        if key not in line:
            raise BadLine(f"{key} is missing")
    t, weight = number(line["t"], "t"), number(line["weight"], "weight", least=0.0, most=100.0)
    return Look(t, weight, _arm(line["baseline"], "baseline", asked), _arm(line["candidate"], "candidate", asked))


def _arm(value: object, name: str, asked: Question) -> dict[str, Sample | None]:
    given = mapping({} if value is None else value, name)
    read: dict[str, Sample | None] = {}
    for metric in asked.metrics:
        if metric.name in given:
            read[metric.name] = sample(given[metric.name], metric, f"{name} {metric.name}")
    if len(read) != len(given):
        known(given, tuple(metric.name for metric in asked.metrics), name)
    return read


def _answer(name: str, finding: Finding) -> dict[str, object]:
    return {
        "release": name,
        "t": _plain(finding.t),
        "verdict": finding.outcome.value,
        "harm_odds": float(f"{finding.harm_odds:.6g}"),
        "safe_odds": float(f"{finding.safe_odds:.6g}"),
        "needed_requests": finding.needed_requests,
        "reason": finding.reason,
    }


def _decision(name: str, decision: Decision, t: float | None, reason: str) -> dict[str, object]:
    return {"release": name, "decision": decision.value, "t": _plain(t), "reason": reason}


def _ending(name: str, trial: Trial) -> dict[str, object]:
    finding = trial.finding
    if finding is None:
        return _decision(name, Decision.HOLD, trial.last, "Hold: there was no look. A person decides.")
    if finding.outcome is Outcome.PASS:
        return _decision(name, Decision.PROMOTE, finding.t, f"Promote: {finding.reason}")
    return _decision(name, Decision.HOLD, finding.t, f"Hold at the end of the input{lowered(finding.reason)}")


def _plain(t: float | None) -> float | int | None:
    """A whole number of seconds without a decimal point, as it came in."""
    return int(t) if t is not None and t.is_integer() else t
