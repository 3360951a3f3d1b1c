"""Profiles, roles and settings that nobody meant: never a traceback, always sentences that name the place."""

import os
import random
from pathlib import Path

import pytest
import yaml

from bot import profiles, settings
from bot.slack import roles
from tests.fuzz.effort import CASES, dice
from tests.fuzz.garbling import ODDITIES, anything, garbled

FILES = CASES // 40
PROFILE = """service: reviews
namespace: shop
channel: C1
routes: [{virtual_service: reviews, http: [main]}]
steps: [5, 25, 50, 100]
hold: 10m
look: 10s
approve: every
approvers: [U1, S2]
quorum: 1
no_answer: {after: 2h, then: hold}
metrics:
  errors: {limit: 0.1%, allowed: +0.1pp, tolerated: +0.5pp}
  latency_p99: {allowed: +10%}
min_requests: 500
deadline: 30m
at_deadline: ask
on_harm: roll_back
soak: 30m
decommission: keep
links: {dashboard: "https://grafana.example/d/1"}
"""
ROLES = """viewer: [U1]
releaser: [U1, S1]
approver: U2
on_call:
  - S2
"""
FIELDS = {
    "LISTEN": "127.0.0.1:8080",
    "LOOK": "15s",
    "PROPAGATION": "2s",
    "TIMEZONE": "Europe/Berlin",
    "PROMETHEUS_URL": "http://127.0.0.1:9090",
    "SLACK_API_URL": "https://slack.com/api/",
    "SLACK_TRANSPORT": "socket",
    "SLACK_COMMAND": "/release",
    "REPORTER": "both",
    "LOG": "text",
    "NAMESPACES": "shop,other",
    "PROFILES": "/etc/sluice/profiles",
}


def told_by_profile(text: str) -> tuple[str, ...]:
    try:
        profiles.read("reviews.yaml", text)
    except profiles.WrongProfile as wrong:
        assert wrong.lines
        return wrong.lines
    return ()


def test_the_profile_and_the_roles_that_are_garbled_below_are_good() -> None:
    assert profiles.read("reviews.yaml", PROFILE).service == "reviews"
    assert roles.read(ROLES, "roles.yaml").groups == {"S1", "S2"}


def test_every_garbled_profile_is_read_or_refused_in_sentences() -> None:
    for seed, toss in dice(FILES):
        for line in told_by_profile(garbled(PROFILE, toss)):
            assert line.startswith("reviews.yaml: "), seed
            assert "\n" not in line, seed


def test_every_strange_value_in_a_profile_is_refused_by_its_field() -> None:
    refused = 0
    for seed, toss in dice(FILES):
        document = yaml.safe_load(PROFILE)
        field = toss.choice(sorted(document))
        document[field] = anything(toss)
        lines = told_by_profile(_dumped(document))
        refused += bool(lines)
        assert all(line.startswith((f"reviews.yaml: {field}", "reviews.yaml: metrics")) for line in lines), (
            seed,
            lines,
        )
    assert refused > FILES / 4


def test_every_garbled_roles_file_is_read_or_refused_in_one_sentence() -> None:
    for seed, toss in dice(FILES):
        try:
            roles.read(garbled(ROLES, toss), "roles.yaml")
        except roles.UnreadableRoles as wrong:
            assert str(wrong).startswith("roles.yaml: "), seed
            assert "\n" not in str(wrong), seed


def test_every_strange_roles_document_is_read_or_refused(tmp_path: Path) -> None:
    for seed, toss in dice(FILES):
        text = _dumped({toss.choice(["releaser", "approver", "x", "1"]): anything(toss)})
        try:
            roles.read(text, str(tmp_path))
        except roles.UnreadableRoles as wrong:
            assert str(wrong).startswith(f"{tmp_path}: "), seed


def test_every_strange_setting_is_named_with_its_value_and_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SLUICE_")]:
        monkeypatch.delenv(name)
    tokens = {"SLUICE_SLACK_BOT_TOKEN": "xoxb-secret", "SLUICE_SLACK_APP_TOKEN": "xapp-secret"}
    refused = 0
    for seed, toss in dice(FILES):
        name = toss.choice(sorted(FIELDS))
        environ = {**tokens, f"SLUICE_{name}": _settable(FIELDS[name], toss)}
        with monkeypatch.context() as patch:
            for key, value in environ.items():
                patch.setenv(key, value)
            try:
                settings.load(environ)
            except settings.WrongSettings as wrong:
                refused += 1
                assert all(line.startswith("SLUICE_") for line in wrong.lines), (seed, wrong.lines)
                assert "secret" not in str(wrong), seed
    assert refused > FILES / 4


def _settable(good: str, toss: random.Random) -> str:
    # What an environment can hold at all.
    text = garbled(good, toss) if toss.random() < 0.5 else toss.choice(ODDITIES)
    return text.replace("\x00", "").encode("utf-8", "ignore").decode() or "x"


def _dumped(document: object) -> str:
    return yaml.safe_dump(document, allow_unicode=True)
