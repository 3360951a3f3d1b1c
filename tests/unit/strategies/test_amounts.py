"""What a version gets, in words for whoever decides."""

from dataclasses import replace
from decimal import Decimal

import pytest

from strategies.amount import amount, effect
from strategies.plan import StrategyName
from strategies.routing import Split
from tests.builders import a_plan, a_release, a_stage


def test_without_a_split_nothing_gets_there() -> None:
    assert amount(None, "v2") == "0 %"


@pytest.mark.parametrize(
    ("shares", "stage", "strategy", "text"),
    [
        (("5", "100"), 1, StrategyName.CANARY, "Send 100 % of production traffic of reviews to v2."),
        (("100",), 0, StrategyName.CANARY, "Send 100 % of production traffic of reviews to v2."),
        (("0", "100"), 1, StrategyName.CANARY, "Switch 100 % of production traffic of reviews to v2 at once."),
        (("5", "100"), 1, StrategyName.BLUE_GREEN, "Switch 100 % of production traffic of reviews to v2 at once."),
        (("5", "50"), 0, StrategyName.BLUE_GREEN, "Send 5 % of production traffic of reviews to v2."),
        (("0", "50"), 1, StrategyName.CANARY, "Send 50 % of production traffic of reviews to v2."),
    ],
)
def test_everything_at_once_is_said_as_a_switch(
    shares: tuple[str, ...], stage: int, strategy: StrategyName, text: str
) -> None:
    plan = replace(a_plan(), strategy=strategy, stages=tuple(a_stage(share) for share in shares))
    assert effect(a_release(plan=plan), stage) == text


def test_a_share_is_said_with_its_decimals() -> None:
    assert amount(Split.between("v1", "v2", Decimal("2.5")), "v2") == "2.5 %"
