"""Private answers, refusals and help."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.requests import Answer, ApproveRequest, ConfirmNeeded, Listed, Planned, Said, Shown, StartRequest
from bot.slack.answers import guide, refusal, render, trouble
from bot.slack.grammar import bad
from bot.slack.guide import TOPICS
from bot.slack.limits import violations
from strategies.guards import OVERRIDABLE, Check, State
from strategies.reasons import ReasonCode, Refused
from strategies.release import Phase
from tests.builders import NOW, a_plan, a_target
from tests.unit.slack.reading import buttons_of, texts
from tests.unit.slack.releases import NASTY, a_card, asking, every_release, in_phase, ugly

PLANNED = Planned(
    a_target(),
    a_plan(),
    tuple(NOW + timedelta(minutes=10 * n) for n in range(1, 5)),
    "-  weight: 100\n+  weight: 95",
    ("reviews has no profile; these are the defaults.",),
    tuple(
        Check(rule, state, f"{rule} {NASTY}")
        for rule, state in zip(OVERRIDABLE, (*State, *State, *State), strict=False)
    ),
    NASTY,
)


@pytest.mark.parametrize(
    "answer",
    [
        Said("reviews-1 is paused.", "reviews-1"),
        Said(""),
        Said(NASTY, "reviews-1"),
        Shown(a_card(asking())),
        PLANNED,
        Planned(ugly(Phase.OBSERVING).target, ugly(Phase.OBSERVING).plan, (), NASTY + "\n" * 900, (NASTY,) * 20),
        Listed(()),
        Listed(tuple(every_release()), "Active releases", NOW, (NASTY,) * 9),
        ConfirmNeeded(asking(), "requests: 320 more requests"),
        ConfirmNeeded(ugly(Phase.AWAITING_APPROVAL), NASTY),
    ],
    ids=lambda answer: type(answer).__name__,
)
def test_every_answer_keeps_slacks_limits(answer: Answer) -> None:
    message = render(answer, "/release")
    assert violations(message.payload()) == []
    assert "<!channel>" not in texts(message)


@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_refusal_shows_its_sentence_and_its_code(code: ReasonCode) -> None:
    message = refusal(Refused(code, f"No: {NASTY[:30]}"), "/release", ApproveRequest("reviews-1"))
    assert violations(message.payload()) == []
    assert "⚠️ No: &lt;!channel&gt;" in texts(message)
    assert f"`{code}`" in texts(message)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (ReasonCode.STALE_REVISION, "`/release status reviews-1`"),
        (ReasonCode.GATE_FAILING, "`/release rollback reviews-1`"),
        (ReasonCode.DRIFT, "`/release drift reviews-1 adopt|restore|stop`"),
        (ReasonCode.BAD_STEPS, "`/release help start`"),
        (ReasonCode.UNKNOWN_RELEASE, "`/release list all`"),
    ],
)
def test_a_refusal_names_the_nearest_useful_command(code: ReasonCode, hint: str) -> None:
    assert hint in texts(refusal(Refused(code, "No."), "/release", ApproveRequest("reviews-1")))


def test_an_example_can_be_copied_as_it_stands_and_its_help_is_next() -> None:
    shown = texts(refusal(bad("start needs a service and a version.", "start"), "/release"))
    assert "for example: `/release start reviews v2 steps=5,25,50,100 hold=10m approve=every`" in shown
    assert "next: `/release help start`" in shown and "For example" not in shown
    said = texts(refusal(bad("“For example: rollback x” is no step."), "/release"))
    assert "“For example: rollback x” is no step." in said and "next: `/release help`" in said


def test_a_service_already_being_released_is_one_command_away() -> None:
    refused = Refused(ReasonCode.ALREADY_RELEASING, "reviews is being released: reviews-1.")
    assert "`/release status reviews`" in texts(refusal(refused, "/release", StartRequest("reviews", "v2")))


def test_a_plan_shows_stages_ends_difference_and_remarks_and_how_to_start() -> None:
    shown = texts(render(PLANNED, "/release", StartRequest("reviews", "v2", dry=True)))
    assert "Plan: reviews v1 → v2 · canary" in shown
    assert "2      25 %      10 min      2 metrics, 1 approval   ends 09:50 UTC" in shown
    assert "+  weight: 95" in shown
    assert "• reviews has no profile" in shown
    assert "`/release start reviews v2`" in shown


@pytest.mark.parametrize(("shares", "first"), [(("0", "100"), "1      0 %       "), (("50", "0"), "2      end       ")])
def test_nothing_at_the_end_is_the_end_and_before_it_is_nothing(shares: tuple[str, ...], first: str) -> None:
    shown = texts(render(replace(PLANNED, plan=a_plan(*shares)), "/release"))
    assert first in shown


def test_a_list_tells_each_release_in_one_line() -> None:
    shown = texts(render(Listed((asking(),), now=NOW), "/release"))
    assert "Active releases (1)" in shown
    assert "🟡 `reviews-1` *reviews* v1 → v2 · canary 25 % · 50 % needs approval" in shown


def test_an_empty_list_says_how_to_start_one() -> None:
    assert "`/release start &lt;service&gt; &lt;version&gt;`" in texts(render(Listed(()), "/release"))


def test_missing_evidence_is_named_by_the_confirm_of_the_only_button() -> None:
    message = render(ConfirmNeeded(asking(), "320 more requests"), "/release")
    (button,) = buttons_of(message).values()
    assert "320 more requests" in button["confirm"]["text"]["text"]
    assert button["value"].endswith('"w":1}')


@pytest.mark.parametrize("topic", ["", *TOPICS])
def test_help_fits_and_names_the_command_in_use(topic: str) -> None:
    message = guide(topic, "/sluice-release")
    assert violations(message.payload()) == []
    assert f"`/sluice-release {TOPICS[topic or 'start'].usage}".replace("<", "&lt;").replace(">", "&gt;") in texts(
        message
    )


def test_trouble_on_our_side_says_how_to_see_where_things_stand() -> None:
    message = trouble("The database did not answer.", "/release")
    assert violations(message.payload()) == []
    assert "`/release list`" in texts(message)


def test_a_status_is_the_card_with_its_buttons() -> None:
    message = render(Shown(a_card(in_phase(Phase.OBSERVING))), "/release")
    assert set(buttons_of(message)) == {"release_pause", "release_roll_back"}
