"""What a command and a profile ask for together, strategy by strategy."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot import profiles, specs
from bot.profiles import Profile, WrongProfile
from bot.requests import StartRequest
from strategies.amount import amount
from strategies.plan import Approve, Plan, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.routing import Match
from tests.builders import a_target

START = StartRequest("reviews", "v2")
BETA = (Match("header:x-beta", "v2", exact="1"),)


def a_profile(text: str = "") -> Profile:
    return profiles.read("reviews.yaml", f"service: reviews\nnamespace: shop\n{text}")


def planned(request: StartRequest, profile: str = "") -> list[str]:
    """The candidate's amount in each stage."""
    found = specs.plan(request, a_profile(profile), a_target())
    assert isinstance(found, Plan), found
    return [f"{stage.part or ''} {amount(stage.splits['reviews'], 'v2')}".strip() for stage in found.stages]


def refused(request: StartRequest, profile: str = "") -> Refused:
    found = specs.plan(request, a_profile(profile), a_target())
    assert isinstance(found, Refused), found
    return found


def asking(strategy: StrategyName, **changes: object) -> StartRequest:
    return replace(START, strategy=strategy, **changes)  # type: ignore[arg-type]


def test_an_ab_test_takes_its_group_from_the_command_or_the_profile() -> None:
    profile = "match: cookie:group=beta\ninside: [1, 100]"
    assert planned(asking(StrategyName.AB), profile) == ["1 % of cookie:group=beta", "cookie:group=beta", "100 %"]
    asked = asking(StrategyName.AB, matches=BETA, steps=(Decimal(50),))
    assert planned(asked, profile) == ["50 % of header:x-beta=1", "100 %"]


def test_a_match_of_the_profile_belongs_to_ab_alone() -> None:
    assert planned(START, "match: cookie:group=beta\nsteps: [5, 100]") == ["5 %", "100 %"]
    assert planned(asking(StrategyName.CANARY, matches=BETA, steps=(Decimal(5), Decimal(100)))) == [
        "5 % and header:x-beta=1", "100 %",
    ]  # fmt: skip


def test_a_shadow_is_refused_until_the_profile_says_what_copies_do() -> None:
    assert refused(asking(StrategyName.SHADOW)).reason_code is ReasonCode.SIDE_EFFECTS
    profile = "side_effects: isolated\nmirror: [5, 20]"
    assert planned(asking(StrategyName.SHADOW), profile) == ["copies of 5 %", "copies of 20 %", "0 %"]
    assert planned(asking(StrategyName.SHADOW, mirror=(Decimal(30),)), profile) == ["copies of 30 %", "0 %"]


def test_a_blue_green_shows_itself_first_and_has_no_steps() -> None:
    assert planned(asking(StrategyName.BLUE_GREEN)) == ["header:x-sluice-preview=v2", "100 %"]
    assert planned(asking(StrategyName.BLUE_GREEN), "preview: authority=beta.shop.example")[0].startswith("authority")
    assert refused(asking(StrategyName.BLUE_GREEN, steps=(Decimal(5),))).reason_code is ReasonCode.BAD_STEPS


def test_what_a_strategy_has_no_use_for_is_refused_and_not_left_out() -> None:
    two = (Decimal(1), Decimal(10))
    assert refused(asking(StrategyName.CANARY, mirror=two), "side_effects: none").reason_code is ReasonCode.BAD_INPUT
    assert refused(asking(StrategyName.SHADOW, mirror=two, steps=two)).reason_code is ReasonCode.BAD_STEPS
    assert refused(asking(StrategyName.SHADOW, matches=BETA), "side_effects: none").reason_code is ReasonCode.BAD_INPUT


PIPELINE = """
side_effects: none
match: header:x-beta=1
pipeline: [{strategy: shadow, mirror: [10], hold: 1m}, ab, {strategy: canary, steps: [50, 100]}]
"""


def test_a_pipeline_is_one_plan_whose_parts_end_in_the_next_one() -> None:
    assert planned(START, PIPELINE) == ["shadow copies of 10 %", "ab header:x-beta=1", "canary 50 %", "canary 100 %"]


def test_a_pipeline_asks_before_each_increase_or_as_the_profile_says() -> None:
    def asks(approve: Approve) -> list[bool]:
        found = specs.plan(replace(START, approve=approve), a_profile(PIPELINE), a_target())
        assert isinstance(found, Plan)
        return [stage.approval is not None for stage in found.stages]

    assert asks(Approve.EVERY) == [True, True, True, False]
    assert asks(Approve.FINAL) == [False, False, True, False]
    assert asks(Approve.NONE) == [False, False, False, False]


def test_parts_keep_their_own_holds() -> None:
    found = specs.plan(START, a_profile(PIPELINE), a_target())
    assert isinstance(found, Plan)
    assert [stage.hold for stage in found.stages[:2]] == [timedelta(minutes=1), timedelta(minutes=10)]
    assert found.parts == (StrategyName.SHADOW, StrategyName.AB, StrategyName.CANARY)


def test_a_strategy_that_is_named_goes_before_the_pipeline() -> None:
    assert planned(asking(StrategyName.CANARY, steps=(Decimal(50), Decimal(100))), PIPELINE) == ["50 %", "100 %"]
    assert "Name one strategy" in refused(replace(START, steps=(Decimal(100),)), PIPELINE).text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pipeline: [canary, ab]", "canary can only come last"),
        ("pipeline: [shadow]", "at least two parts"),
        ("pipeline: [ab, ab]", "comes once"),
        ("match: header:X Beta=1", "no name of a header"),
        ("mirror: [50, 10]", "does not rise"),
        ("mirror: 0", "not above 0"),
        ("smoke: smoke.example/run", "begins with http"),
        ("side_effects: maybe", "'none' or 'isolated'"),
        ("pipeline: [{strategy: ab, group: uri=/x}, canary]", "not a key"),
    ],
)
def test_a_profile_that_says_nonsense_is_refused_with_what_is_allowed(text: str, told: str) -> None:
    with pytest.raises(WrongProfile, match=told):
        a_profile(text)


def test_a_cookie_keeps_people_where_shares_grow_and_nowhere_else() -> None:
    steps = (Decimal(5), Decimal(100))
    assert planned(replace(START, steps=steps), "sticky: cookie") == ["5 % of people", "100 %"]
    assert planned(replace(START, steps=steps, is_sticky=False), "sticky: cookie") == ["5 %", "100 %"]
    assert planned(asking(StrategyName.BLUE_GREEN), "sticky: cookie")[0].startswith("header")
    assert refused(asking(StrategyName.AB, matches=BETA, is_sticky=True)).reason_code is ReasonCode.BAD_INPUT
