"""The root message and the stage messages, over all phases."""

from datetime import timedelta
from typing import Any

import pytest

from bot.slack.cards import root, stage_line
from bot.slack.limits import violations
from bot.slack.questions import warm_up
from bot.slack.stage_cards import stage
from strategies.release import Phase, Release
from strategies.verdicts import Outcome
from tests.builders import NOW, a_verdict
from tests.unit.slack.reading import block_ids, buttons_of, header_of, labels, texts
from tests.unit.slack.releases import NASTY, a_card, a_look, approved, asking, drifted, every_release, in_phase, ugly

COMMAND = "/release"


def named(release: Release) -> str:
    return f"{release.phase}-{release.stage}-{len(release.verdicts)}"


@pytest.mark.parametrize("release", every_release(), ids=named)
def test_every_root_message_keeps_slacks_limits(release: Release) -> None:
    assert violations(root(a_card(release, a_look(max(release.stage, 0))), COMMAND).payload()) == []


@pytest.mark.parametrize("release", every_release(), ids=named)
def test_every_stage_message_keeps_slacks_limits(release: Release) -> None:
    for n in range(max(release.stage, 0) + 1):
        assert violations(stage(a_card(release, a_look(n)), n, COMMAND).payload()) == []


@pytest.mark.parametrize("release", [ugly(phase) for phase in Phase], ids=named)
def test_no_outside_string_can_mention_or_break_a_message(release: Release) -> None:
    shown = texts(root(a_card(release, cluster=NASTY), COMMAND)) + texts(stage(a_card(release), 1, COMMAND))
    assert "<!channel>" not in shown
    assert "<http://evil" not in shown
    assert "\x00" not in shown
    assert shown.count("```") % 2 == 0


@pytest.mark.parametrize(
    ("release", "line"),
    [
        (in_phase(Phase.PREPARING, stage=-1), "🔵 reviews v2 · preparing · no traffic moved yet"),
        (in_phase(Phase.SCHEDULED, stage=-1, starts_at=NOW), "⚪ reviews v2 · scheduled · starts 09:30 UTC"),
        (in_phase(Phase.SHIFTING), "🔵 reviews v2 · canary 25 % · waiting to see it in traffic"),
        (in_phase(Phase.SHIFTING, confirmed=frozenset()), "🔵 reviews v2 · canary 25 % · applying"),
        (
            in_phase(Phase.OBSERVING, hold_until=NOW + timedelta(minutes=4)),
            "🟢 reviews v2 · canary 25 % · holding 6/10 min",
        ),
        (asking(), "🟡 reviews v2 · canary 25 % · 50 % needs approval"),
        (drifted(), "🟠 reviews v2 · canary 25 % · route changed by hand, decide"),
        (in_phase(Phase.SOAKING, stage=3), "🟢 reviews v2 · 100 % · soaking, v1 kept warm"),
        (in_phase(Phase.ROLLING_BACK), "🔴 reviews v2 · rolling back to v1 · applying"),
        (in_phase(Phase.ROLLED_BACK), "⏪ reviews v2 · rolled back · v1 serves 100 %"),
        (
            in_phase(Phase.ROLLED_BACK, stage=-1, verdicts=()),
            "⏪ reviews v2 · called off before any traffic moved · v1 serves 100 %",
        ),
        (in_phase(Phase.STUCK), "🔴 reviews v2 · stuck at 25 % · needs you"),
        (in_phase(Phase.COMPLETED, stage=3), "✅ reviews v2 · complete · 100 %"),
    ],
)
def test_the_header_says_in_sign_and_words_where_it_stands(release: Release, line: str) -> None:
    message = root(a_card(release), COMMAND)
    assert header_of(message) == line
    assert message.text.startswith(line)


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        (in_phase(Phase.SCHEDULED, stage=-1), ["Call off"]),
        (in_phase(Phase.OBSERVING), ["Pause", "Roll back"]),
        (asking(), ["Approve 50 %", "Pause", "Roll back"]),
        (asking(verdicts=(a_verdict(Outcome.FAIL),)), ["Pause", "Roll back"]),
        (in_phase(Phase.PAUSED), ["Resume", "Roll back"]),
        (in_phase(Phase.PAUSED, verdicts=(a_verdict(Outcome.FAIL),)), ["Roll back"]),
        (drifted(), ["Adopt", "Restore", "Stop", "Roll back"]),
        (drifted(share=None), ["Restore", "Stop", "Roll back"]),
        (in_phase(Phase.STUCK), ["Try again", "Roll back"]),
        (in_phase(Phase.STUCK, resume_to=Phase.ROLLING_BACK), ["Try again"]),
        (in_phase(Phase.SOAKING, stage=3), ["Pause", "Roll back"]),
        (in_phase(Phase.ROLLING_BACK), []),
        (in_phase(Phase.COMPLETED), ["Roll back"]),
        (in_phase(Phase.DECOMMISSIONING, stage=3), ["Pause", "Roll back"]),
        (in_phase(Phase.DECOMMISSIONING, stage=3, asked_at=NOW), ["Scale v1 to 0", "Pause", "Roll back"]),
    ],
)
def test_only_what_can_be_done_has_a_button(release: Release, expected: list[str]) -> None:
    assert labels(root(a_card(release), COMMAND)) == expected


def test_every_button_asks_first_in_the_words_of_its_effect() -> None:
    approve = buttons_of(root(a_card(asking()), COMMAND))["release_approve"]
    assert approve["confirm"]["text"]["text"] == "Send 50 % of production traffic of reviews to v2."
    assert approve["value"] == '{"r":"reviews-1","s":1,"v":7}'
    back = buttons_of(root(a_card(asking()), COMMAND))["release_roll_back"]
    assert back["confirm"]["text"]["text"] == "Send all production traffic of reviews back to v1, now."


def test_an_approval_that_goes_without_evidence_names_what_is_missing() -> None:
    waiting = asking(verdicts=(a_verdict(Outcome.WAIT, "requests", missing="320 more requests"),))
    approve = buttons_of(root(a_card(waiting), COMMAND))["release_approve"]
    assert "320 more requests" in approve["confirm"]["text"]["text"]
    assert approve["value"] == '{"r":"reviews-1","s":1,"v":7,"w":1}'


def test_the_buttons_block_carries_release_stage_and_revision() -> None:
    assert block_ids(root(a_card(asking()), COMMAND)) == ["gate:reviews-1:1:7", "card:reviews-1:1:7"]


def test_asked_and_measured_stand_side_by_side() -> None:
    shown = texts(root(a_card(in_phase(Phase.OBSERVING), a_look()), COMMAND))
    assert "*Asked*\nv1 75 % · v2 25 %" in shown
    assert "*Measured*\nv2 5 % of 1,000 requests" in shown


def test_the_card_says_why_it_stands_who_asked_and_where() -> None:
    shown = texts(root(a_card(in_phase(Phase.OBSERVING)), COMMAND))
    assert "*Why:* 25 % of requests measured at v2" in shown
    assert "prod-eu · shop · asked for by @Person U1" in shown
    assert "<!date^" in shown
    assert "<https://grafana.example/d/1?a=b&amp;c=d|dashboard>" in shown


def test_the_stage_line_shows_what_is_done_and_what_is_left() -> None:
    assert stage_line(in_phase(Phase.OBSERVING)) == "✅ 5 % → ⏳ 25 % → ○ 50 % → ○ 100 %"
    assert stage_line(in_phase(Phase.COMPLETED, stage=3)) == "✅ 5 % → ✅ 25 % → ✅ 50 % → ✅ 100 %"
    assert stage_line(in_phase(Phase.ROLLED_BACK)) == "✅ 5 % → ⏪ 25 % → ○ 50 % → ○ 100 %"


def test_a_drift_shows_the_difference_and_who_made_it() -> None:
    shown = texts(root(a_card(drifted()), COMMAND))
    assert "*kubectl-edit* changed `shop/reviews`" in shown
    assert "- weight: 25\n+ weight: 60" in shown


def test_a_stage_message_asks_with_its_evidence() -> None:
    message = stage(a_card(asking(), a_look(), mention_approvers=("U2", "S2")), 1, COMMAND)
    assert header_of(message) == "🟡 reviews v2 · stage 2/4 · 25 % → 50 % needs approval"
    assert labels(message) == ["Approve 50 %", "Pause", "Roll back"]
    shown = texts(message)
    assert "baseline 75 / candidate 25" in shown
    assert "🟢 PASS 2 of 2" in shown
    assert "Approvals 0/1 · asked: <@U2> <!subteam^S2>" in shown
    assert "→ hold" in shown


def test_the_table_shows_failing_gates_first_and_counts_the_rest() -> None:
    verdicts = (*[a_verdict(gate=f"m{n}") for n in range(11)], a_verdict(Outcome.FAIL, "errors"))
    shown = texts(stage(a_card(asking(verdicts=verdicts)), 1, COMMAND))
    rows = shown.split("```")[1].strip().split("\n")
    assert rows[1].split() == ["errors", "0.1", "%", "0.2", "%", "0.6", "%", "FAIL"]
    assert rows[-1] == "+2 more"


def test_a_decided_stage_says_applying_until_the_write_is_read_back() -> None:
    message = stage(a_card(approved(), a_look()), 1, COMMAND)
    assert "⏳ Approved by @bob" in texts(message)
    assert "looks fine · applying 50 %" in texts(message)
    assert labels(message) == []


def test_a_decided_stage_shows_the_approval_once_it_is_served() -> None:
    message = stage(a_card(approved(written=2, confirmed=frozenset({"shop/reviews"})), a_look()), 1, COMMAND)
    assert "✅ Approved by @bob" in texts(message)
    assert header_of(message) == "✅ reviews v2 · stage 2/4 · 25 % · went on to 50 %"


def test_a_stage_that_nobody_was_asked_about_says_where_it_went() -> None:
    message = stage(a_card(in_phase(Phase.OBSERVING, stage=2, written=2), a_look()), 1, COMMAND)
    assert "✅ Went on to 50 %" in texts(message)


def test_a_rolled_back_stage_has_no_buttons_left() -> None:
    message = stage(a_card(in_phase(Phase.ROLLED_BACK), a_look()), 1, COMMAND)
    assert header_of(message) == "⏪ reviews v2 · stage 2/4 · 25 % · rolled back to v1"
    assert labels(message) == []


def test_a_failing_gate_teaches_the_two_ways_on() -> None:
    shown = texts(stage(a_card(asking(verdicts=(a_verdict(Outcome.FAIL, reason="5xx 2 % vs 0.3 %"),))), 1, COMMAND))
    assert "🔴 *errors* 5xx 2 % vs 0.3 %" in shown
    assert "`/release override reviews-1 &lt;reason&gt;`" in shown


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"baseline_ready": 0}, "v1 has no ready pod: it is scaled up to 3 first"),
        (
            {"is_cold": True, "warm_up": timedelta(seconds=40)},
            "v1 is scaled to 0: it is scaled up to 3 first, and traffic waits for its ready pods "
            "(about 40 s, as its pods took before).",
        ),
        ({"is_cold": True, "kept": {"Deployment shop/reviews-v1": "{}"}}, "v1 was deleted and is created again"),
    ],
)
def test_a_rollback_to_a_version_without_pods_says_how_long_it_takes(changes: dict[str, Any], words: str) -> None:
    release = in_phase(Phase.SOAKING, stage=3, sizes={"shop/reviews-v1": 3}, **changes)
    assert warm_up(release).startswith(words)
    assert bool(warm_up(release)) is bool(words)
