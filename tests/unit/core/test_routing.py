"""A route that names nothing, and a split that no proxy can serve, cannot be built."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies.routing import HUNDRED, Match, Mirror, Protocol, Route, Split, Steering, Sticky, percent
from tests.builders import a_route

SHARES = st.integers(0, 10_000).map(lambda cents: Decimal(cents) / 100)


@pytest.mark.parametrize("part", ["namespace", "virtual_service", "name"])
def test_a_route_needs_every_part_of_its_name(part: str) -> None:
    with pytest.raises(ValueError, match="needs a namespace, a VirtualService and a name"):
        a_route(**{part: ""})


def test_a_routes_key_names_it_in_the_whole_cluster() -> None:
    assert Route("shop", "reviews", Protocol.HTTP, "#0").key == "shop/reviews/http/#0"


@settings(deadline=None)
@given(SHARES)
def test_a_split_between_two_versions_always_sums_to_a_hundred(share: Decimal) -> None:
    split = Split.between("v1", "v2", share)
    assert sum(split.weights.values()) == HUNDRED
    assert split.share("v2") == share
    assert split.share("v3") == 0


@pytest.mark.parametrize(
    ("weights", "why"),
    [
        ({}, "at least one version"),
        ({"": Decimal(100)}, "names every version"),
        ({"v1": Decimal(101)}, "between 0 and 100"),
        ({"v1": Decimal(-1), "v2": Decimal(101)}, "between 0 and 100"),
        ({"v1": Decimal("NaN")}, "between 0 and 100"),
        ({"v1": Decimal("99.999"), "v2": Decimal("0.001")}, "more than two decimals"),
        ({"v1": Decimal(90), "v2": Decimal(5)}, "must sum to 100, got 95"),
    ],
)
def test_a_split_that_cannot_be_served_cannot_be_built(weights: dict[str, Decimal], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Split(weights)


def test_a_version_is_not_released_over_itself() -> None:
    with pytest.raises(ValueError, match="baseline and candidate are both 'v1'"):
        Split.between("v1", "v1", Decimal(5))


@pytest.mark.parametrize("operators", [{}, {"exact": "a", "prefix": "b"}])
def test_a_match_has_exactly_one_operator(operators: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="exactly one of exact, prefix, regex"):
        Match("header:x-user", "v2", share=HUNDRED, **operators)


def test_a_match_with_one_operator_is_built() -> None:
    assert Match("uri", "v2", prefix="/beta").to == "v2"


@pytest.mark.parametrize("share", ["0", "-1", "100.01"])
def test_a_mirror_takes_more_than_nothing_and_at_most_everything(share: str) -> None:
    with pytest.raises(ValueError, match="above 0 and at most 100"):
        Mirror("v2", Decimal(share))


def test_a_mirror_may_take_everything() -> None:
    assert Mirror("v2", HUNDRED).percent == HUNDRED


@pytest.mark.parametrize(("value", "text"), [("5", "5 %"), ("0.50", "0.5 %"), ("100", "100 %"), ("1E+1", "10 %")])
def test_percentages_are_written_as_people_write_them(value: str, text: str) -> None:
    assert percent(Decimal(value)) == text


def test_how_requests_get_to_a_version_decides_what_is_known_of_its_share() -> None:
    bare = Split.between("v1", "v2", Decimal(0))
    group = replace(bare, matches=(Match("header:x-beta", "v2", exact="1"),))
    inside = replace(bare, matches=(Match("header:x-beta", "v2", exact="1", share=Decimal(1)),))
    copied = replace(bare, mirror=Mirror("v2", Decimal(10)))
    assert [each.steering("v2") for each in (bare, group, inside, copied)] == [
        Steering.WEIGHTS, Steering.MATCHES, Steering.MATCHES, Steering.MIRROR,
    ]  # fmt: skip
    assert (group.bounds("v2"), inside.bounds("v2")) == ((Decimal(0), Decimal(100)), (Decimal(0), Decimal(1)))
    assert (copied.reaches("v2"), copied.serves("v2"), group.serves("v2")) == (True, False, True)


@pytest.mark.parametrize(
    ("generation", "before", "now", "rise"),
    [
        (0, "0", "30", "0"),
        (1, "0", "30", "30"),
        (1, "20", "60", "50"),
        (2, "1", "34", "33.33"),
        (3, "50", "100", "100"),
    ],
)
def test_people_rise_out_of_those_who_are_left_and_never_more_than_is_meant(
    generation: int, before: str, now: str, rise: str
) -> None:
    assert Sticky.between(generation, Decimal(before), Decimal(now)) == Sticky(generation, Decimal(rise))


@pytest.mark.parametrize(
    ("split", "least", "most"),
    [
        (Split.between("v1", "v2", Decimal(30)), 30, 30),
        (Split.between("v1", "v2", Decimal(0)), 0, 0),
        (Split({"v1": HUNDRED}, matches=(Match("header:x", "v2", exact="1"),)), 0, 100),
        (Split({"v1": HUNDRED}, matches=(Match("header:x", "v2", exact="1", share=Decimal(20)),)), 0, 20),
        (Split({"v2": HUNDRED}, matches=(Match("header:x", "v1", exact="1", share=Decimal(20)),)), 80, 100),
        (replace(Split.between("v1", "v2", Decimal(30)), sticky=Sticky()), 0, 100),
    ],
)
def test_the_least_and_the_most_that_a_version_can_answer(split: Split, least: int, most: int) -> None:
    assert split.bounds("v2") == (Decimal(least), Decimal(most))
    assert split.serves("v2") == (most > 0)
