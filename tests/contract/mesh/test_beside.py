"""Every strategy's objects are taken by the server as they are sent, read back, and gone after a rollback."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.mesh.documents import canonical
from bot.ports import Written
from strategies.release import Drift
from strategies.routing import HUNDRED, Match, Mirror, Split
from tests.contract.mesh.world import World, an_order

NOBODY = Split.between("v1", "v2", Decimal(0))
FIVE = Split.between("v1", "v2", Decimal(5))
EVERY_PART = (
    Match("header:x-beta", "v2", exact="1"),
    Match("cookie:group", "v2", regex="beta|gamma"),
    Match("query:beta", "v2", exact="1"),
    Match("uri", "v2", prefix="/beta"),
    Match("method", "v2", exact="PUT"),
    Match("authority", "v2", prefix="beta."),
    Match("source_label:app", "v2", exact="web"),
)
SPLITS = {
    "phased": Split.between("v1", "v2", Decimal("0.5")),
    "blue-green preview": replace(NOBODY, matches=EVERY_PART[:1]),
    "blue-green switch": Split.between("v1", "v2", HUNDRED),
    "shadow": replace(NOBODY, mirror=Mirror("v2", Decimal("0.5"))),
    "ab": replace(NOBODY, matches=EVERY_PART),
    "ab inside": replace(NOBODY, matches=tuple(replace(each, share=Decimal(1)) for each in EVERY_PART)),
    "canary with both": replace(FIVE, matches=EVERY_PART[:2], mirror=Mirror("v2", Decimal(20))),
}


def name_of(world: World) -> str:
    return f"{world.namespace}/reviews"


@pytest.mark.parametrize("kind", SPLITS)
def test_a_split_is_kept_as_sent_and_undone_to_the_letter(world: World, kind: str) -> None:
    before, split = canonical(world.read("VirtualService")["spec"]), SPLITS[kind]
    written = world.mesh.set_route(name_of(world), lambda: [an_order(world, split)])
    assert isinstance(written, Written)
    assert world.mesh.observe(name_of(world), [an_order(world, split, expected=split)]) is None
    repeated = world.mesh.set_route(name_of(world), lambda: [an_order(world, split, 3, expected=split)])
    assert isinstance(repeated, Written)
    assert not repeated.changed
    world.mesh.set_route(name_of(world), lambda: [an_order(world, None, 4, expected=split, force=True)])
    after = world.read("VirtualService")
    assert (canonical(after["spec"]), "annotations" in after["metadata"]) == (before, False)


def test_a_hand_on_an_inserted_route_is_seen(world: World) -> None:
    split = SPLITS["blue-green preview"]
    world.mesh.set_route(name_of(world), lambda: [an_order(world, split)])
    world.edit(lambda document: document["spec"]["http"][0]["match"][0].pop("headers"))
    drift = world.mesh.set_route(name_of(world), lambda: [an_order(world, FIVE, 3, expected=split)])
    assert isinstance(drift, Drift)
    assert "routes inserted for its matches" in drift.difference
