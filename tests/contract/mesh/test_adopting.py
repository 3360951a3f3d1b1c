"""Adopting on the stand-in and on a real API server: one write per object, and back without a trace."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from bot.mesh.documents import canonical, namespace_of
from bot.ports import Adoption
from bot.surveys import SurveyRequest
from tests.contract.mesh.world import PATHS
from tests.contract.patience import until

if TYPE_CHECKING:
    from bot.mesh.documents import Document
    from tests.contract.mesh.world import WireWorld


def request(wire: WireWorld) -> SurveyRequest:
    return SurveyRequest("reviews", wire.namespace, "v1")


def adopted(wire: WireWorld, *, is_undo: bool = False) -> str:
    found = wire.mesh.adoption(request(wire), is_undo=is_undo)
    assert isinstance(found, Adoption), found
    told = wire.mesh.adopt(request(wire), found.fingerprint, is_undo=is_undo)
    assert isinstance(told, str), told
    return told


def watched(wire: WireWorld) -> list[Document]:
    """The rules and routes of this world that the adapter has seen."""
    cache = wire.mesh._cache
    both = (*cache.virtual_services(), *cache.destination_rules())
    return [each for each in both if namespace_of(each) == wire.namespace]


def test_a_service_without_rule_and_route_gets_both_and_loses_both_again(wire: WireWorld) -> None:
    for kind in ("VirtualService", "DestinationRule"):
        wire.cluster.delete(f"{PATHS[kind].format(wire.namespace)}/reviews")
    until(lambda: watched(wire) == [])
    assert "VirtualService" in adopted(wire)
    until(lambda: len(watched(wire)) == 2)
    assert wire.read("VirtualService")["spec"]["http"][0]["route"] == [
        {"destination": {"host": "reviews", "subset": "v1"}}
    ]
    assert "was deleted" in adopted(wire, is_undo=True)
    assert wire.all("VirtualService") == wire.all("DestinationRule") == []


def test_a_destination_without_a_subset_is_pinned_and_let_go_with_nothing_else_changed(wire: WireWorld) -> None:
    wire.edit(lambda document: document["spec"]["http"][0]["route"][0]["destination"].pop("subset"))
    before = wire.read("VirtualService")
    adopted(wire)
    pinned = copy.deepcopy(before["spec"])
    pinned["http"][0]["route"][0]["destination"]["subset"] = "v1"
    assert canonical(wire.read("VirtualService")["spec"]) == canonical(pinned)
    until(lambda: isinstance(wire.mesh.adoption(request(wire), is_undo=True), Adoption))
    adopted(wire, is_undo=True)
    after = wire.read("VirtualService")
    assert canonical(after["spec"]) == canonical(before["spec"])
    assert after["metadata"].get("annotations") == before["metadata"].get("annotations")
