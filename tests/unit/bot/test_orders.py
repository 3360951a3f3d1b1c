"""What the mesh should carry follows from the stored release at the moment of writing."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot import orders
from bot.ports import RouteOrder
from strategies.release import Phase, Release
from strategies.routing import Protocol, Route, Split
from tests.builders import a_plan, a_target
from tests.unit.core.events_of import in_phase

NAME = "shop/reviews"


def only(release: Release) -> RouteOrder:
    """The one order of a release of one route."""
    (order,) = orders.orders(release, NAME)
    return order


@pytest.mark.parametrize("phase", [Phase.SHIFTING, Phase.OBSERVING, Phase.AWAITING_APPROVAL, Phase.SOAKING])
def test_on_the_way_forward_the_stages_split_is_ordered(phase: Phase) -> None:
    order = only(in_phase(phase))
    assert order.split == Split.between("v1", "v2", Decimal(5))
    assert order.expected == order.split
    assert not order.force


@pytest.mark.parametrize("phase", [Phase.SCHEDULED, Phase.PREPARING, Phase.COMPLETED, Phase.ROLLED_BACK])
def test_before_the_first_split_and_after_the_end_nothing_is_ordered(phase: Phase) -> None:
    assert orders.orders(in_phase(phase), NAME) == ()


def test_a_rollback_orders_the_original_fields_over_anything() -> None:
    order = only(in_phase(Phase.ROLLING_BACK))
    assert (order.split, order.original, order.force) == (None, "{}", True)


def test_a_stuck_rollback_still_orders_the_original_fields() -> None:
    order = only(replace(in_phase(Phase.STUCK), resume_to=Phase.ROLLING_BACK))
    assert (order.split, order.force) == (None, True)


def test_who_paused_before_the_write_does_not_want_it_any_more() -> None:
    held = in_phase(Phase.PAUSED)
    assert orders.orders(replace(held, confirmed=frozenset()), NAME) == ()
    assert only(held).split == held.wanted("reviews")


def test_a_restored_split_is_forced_over_the_foreign_edit() -> None:
    assert only(replace(in_phase(Phase.SHIFTING), overwrites=True)).force


def test_before_anything_was_read_back_the_original_is_expected() -> None:
    assert only(replace(in_phase(Phase.SHIFTING), written=-1)).expected is None


def test_only_the_routes_of_the_named_object_are_ordered() -> None:
    places = (("reviews", "a"), ("reviews", "b"), ("other", "c"))
    routes = tuple(Route("shop", where, Protocol.HTTP, name) for where, name in places)
    release = replace(in_phase(Phase.SHIFTING), targets=(a_target(routes=routes),))
    assert [order.route.name for order in orders.orders(release, NAME)] == ["a", "b"]
    assert orders.orders(release, "shop/third") == ()


def test_a_preview_orders_the_first_stage() -> None:
    (order,) = orders.first(a_target(), a_plan(), NAME)
    assert order.split == Split.between("v1", "v2", Decimal(5))
    assert orders.first(a_target(), a_plan(), "shop/other") == ()
