"""What cards say of copies, groups, cookies and pipelines: nothing that the version does not get."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.ports import Card, Look
from bot.slack.cards import root, stage_line
from bot.slack.headlines import headline
from bot.slack.limits import violations
from bot.slack.stage_cards import stage
from strategies import pipeline
from strategies.plan import Plan, SideEffects, StrategyName
from strategies.release import Phase, Release
from strategies.routing import Match
from tests.builders import NOW, a_reading
from tests.unit.core.events_of import in_phase
from tests.unit.strategies.specs import BETA, a_spec, planned

SHADOW = a_spec(StrategyName.SHADOW, "10", "50", side_effects=SideEffects.NONE)
AB = a_spec(StrategyName.AB, matches=(BETA,), inside=(Decimal(1), Decimal(100)))


def a_release(plan: Plan, phase: Phase = Phase.AWAITING_APPROVAL, n: int = 0) -> Release:
    return replace(in_phase(phase, plan), stage=n, written=n)


def shown(release: Release, *, is_mirrored: bool = False) -> str:
    looks = (Look(NOW, release.stage, a_reading(is_mirrored=is_mirrored), ()),)
    card = Card(release, NOW + timedelta(minutes=1), "test", looks)
    messages = (root(card, "/release"), stage(card, release.stage, "/release"))
    assert [violations(message.payload()) for message in messages] == [[], []]
    return json.dumps([list(message.blocks) for message in messages], ensure_ascii=False)


def test_copies_are_called_copies_and_live_requests_stay_with_the_baseline() -> None:
    text = shown(a_release(planned(SHADOW)), is_mirrored=True)
    assert "shadow copies of 10 % · copies of 50 % needs approval" in text
    assert "copies of 10 % → v2" in text
    assert "50 copies at v2 beside 950 live at v1" in text
    assert "Mirror 50 % of the requests of reviews to v2; nobody gets its answers." in text
    assert "Mirror no request of reviews any more, now; v1 serves everything throughout." in text
    assert stage_line(a_release(planned(SHADOW))) == "⏳ copies of 10 % → ○ copies of 50 % → ○ end"


def test_the_end_of_a_shadow_never_says_that_the_candidate_serves() -> None:
    release = a_release(planned(SHADOW), Phase.COMPLETED, 2)
    text = shown(release, is_mirrored=True)
    assert "complete · shadow over, v1 serves 100 %" in text
    assert "v2 gets nothing any more, v1 serves 100 %" in text
    assert "v2 serves" not in text


def test_a_group_is_named_and_its_share_is_not_promised() -> None:
    text = shown(a_release(planned(AB)))
    assert "ab 1 % of header:x-beta=1 · header:x-beta=1 needs approval" in text
    assert "header:x-beta=1 (1 %) → v2" in text
    assert "Send requests of reviews to v2: header:x-beta=1. All others stay with v1." in text


def test_matches_of_any_length_keep_slacks_limits() -> None:
    many = tuple(Match(f"header:x-{n}", "v2", regex="<!channel>&" * 40) for n in range(20))
    text = shown(a_release(planned(replace(AB, matches=many))))
    # Plain text mentions nobody; what is read as markup must not either.
    assert not [each for each in re.findall(r'"mrkdwn", "text": "((?:[^"\\]|\\.)*)"', text) if "<!channel" in each]
    assert "<!" not in headline(a_release(planned(replace(AB, matches=many))), NOW)


def test_the_last_step_of_a_test_is_called_a_switch() -> None:
    assert "Switch 100 % of production traffic of reviews to v2 at once." in shown(a_release(planned(AB), n=1))


def test_people_are_not_requests() -> None:
    text = shown(a_release(planned(a_spec(StrategyName.CANARY, is_sticky=True))))
    assert "canary 5 % of people · 50 % of people needs approval" in text
    assert "each person kept at their version" in text


@pytest.mark.parametrize(
    ("n", "words"),
    [(0, "shadow (1/3) copies of 10 %"), (2, "ab (2/3) 1 % of header:x-beta=1"), (4, "canary (3/3) 5 %")],
)
def test_a_pipeline_says_which_part_is_at_work(n: int, words: str) -> None:
    plan = pipeline.plan([SHADOW, AB, a_spec(StrategyName.CANARY)])
    assert isinstance(plan, Plan)
    release = a_release(plan, n=n)
    assert words in headline(release, NOW)
    assert stage_line(release).count("*") == 6


def test_a_stage_that_only_asks_has_nothing_to_show_but_its_question() -> None:
    release = replace(a_release(planned(a_spec(StrategyName.CANARY, "100"))), verdicts=())
    assert release.asks_first
    card = Card(release, NOW, "test")
    text = json.dumps(
        [list(m.blocks) for m in (root(card, "/release"), stage(card, 0, "/release"))], ensure_ascii=False
    )
    assert "canary 0 % · 100 % needs approval" in text
    assert "This stage sends nothing to v2: approvers are asked before anything moves." in text
    assert "Switch 100 % of production traffic of reviews to v2 at once." in text
    assert not re.search("no look|No look|not measured|Gates|Held", text)
