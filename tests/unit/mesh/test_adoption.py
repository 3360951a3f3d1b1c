"""A service is pinned to its present version and let go again, with nothing else touched."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from bot.ports import Adoption
from bot.surveys import SurveyRequest
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target
from tests.fakes_mesh import FakeMesh
from tests.mesh_documents import a_deployment, a_destination, a_rule, a_service, a_subset, a_virtual_service

if TYPE_CHECKING:
    from tests.mesh_documents import Document

REVIEWS = SurveyRequest("reviews", "shop", "")
AT_V1 = SurveyRequest("reviews", "shop", "v1")


def bare(*documents: Document) -> FakeMesh:
    """reviews v1 behind a Service and nothing of Istio's but what is given."""
    mesh = FakeMesh()
    for document in (a_service(), a_deployment("v1", replicas=3), *documents):
        mesh.put(document)
    mesh.set_ready("v1", 3)
    return mesh


def shown(mesh: FakeMesh, request: SurveyRequest = REVIEWS, *, is_undo: bool = False) -> Adoption:
    found = mesh.adoption(request, is_undo=is_undo)
    assert isinstance(found, Adoption), found
    return found


def adopted(mesh: FakeMesh, request: SurveyRequest = REVIEWS, *, is_undo: bool = False) -> str:
    told = mesh.adopt(request, shown(mesh, request, is_undo=is_undo).fingerprint, is_undo=is_undo)
    assert isinstance(told, str), told
    return told


def refused(mesh: FakeMesh, request: SurveyRequest = REVIEWS, *, is_undo: bool = False) -> Refused:
    found = mesh.adoption(request, is_undo=is_undo)
    assert isinstance(found, Refused), found
    return found


def istio(mesh: FakeMesh) -> list[Any]:
    """All of Istio's objects without the server's counters."""
    documents = copy.deepcopy([*mesh.virtual_services(), *mesh.destination_rules()])
    for document in documents:
        document["metadata"].pop("resourceVersion")
        document["metadata"].pop("uid", None)
    return documents


def test_a_service_without_anything_gets_a_rule_and_a_route_and_can_be_released_then() -> None:
    mesh = bare()
    found = shown(mesh)
    assert (found.version, found.objects) == ("v1", ("DestinationRule shop/reviews", "VirtualService shop/reviews"))
    assert found.diff.count("subset: v1") == 1
    assert adopted(mesh) == "DestinationRule shop/reviews was created; VirtualService shop/reviews was created."
    mesh.put(a_deployment("v2"))
    assert isinstance(mesh.survey(SurveyRequest("reviews", "shop", "v2")), Target)


def test_what_was_made_is_taken_away_without_a_trace() -> None:
    mesh = bare()
    adopted(mesh)
    assert (
        adopted(mesh, is_undo=True)
        == "VirtualService shop/reviews was deleted; DestinationRule shop/reviews was deleted."
    )
    assert istio(mesh) == []


def test_destinations_without_a_subset_are_pinned_and_all_else_is_as_it_was() -> None:
    routes = (
        {"name": "api", "match": [{"uri": {"prefix": "/api"}}], "route": [a_destination(None)], "timeout": "3s"},
        {
            "name": "main",
            "route": [a_destination(None, 90), a_destination(None, 10, host="other")],
            "retries": {"attempts": 2},
        },
    )
    mesh = bare(a_virtual_service(*routes), a_rule(a_subset("v0")))
    before = istio(mesh)
    adopted(mesh)
    document = mesh.virtual_service("shop/reviews")
    assert document is not None
    pinned = copy.deepcopy(before[0]["spec"])
    pinned["http"][0]["route"][0]["destination"]["subset"] = "v1"
    pinned["http"][1]["route"][0]["destination"]["subset"] = "v1"
    assert document["spec"] == pinned
    assert [each["name"] for each in mesh.destination_rules()[0]["spec"]["subsets"]] == ["v0", "v1"]
    adopted(mesh, is_undo=True)
    assert istio(mesh) == before


def test_a_subset_that_selects_the_version_already_is_used_whatever_it_is_called() -> None:
    mesh = bare(
        a_virtual_service({"route": [a_destination(None)]}), a_rule({"name": "old", "labels": {"version": "v1"}})
    )
    found = shown(mesh)
    assert found.objects == ("VirtualService shop/reviews",)
    assert "subset: old" in found.diff


def test_several_versions_are_not_guessed_at() -> None:
    mesh = bare(a_deployment("v2"))
    told = refused(mesh)
    assert (told.reason_code, told.text) == (
        ReasonCode.UNKNOWN_VERSION,
        "reviews has the versions v1, v2; say which one serves: adopt reviews v1.",
    )
    assert shown(mesh, AT_V1).version == "v1"


def test_what_is_adopted_already_is_told() -> None:
    # Nobody is asked which of two versions serves where nothing follows from the answer.
    for request in (AT_V1, REVIEWS):
        assert refused(FakeMesh.shop(), request).reason_code is ReasonCode.ALREADY_DECIDED


def test_pods_without_the_label_are_told_by_its_name() -> None:
    mesh = bare()
    told = refused(mesh, SurveyRequest("reviews", "shop", "", version_label="color"))
    assert told.text == "No Deployment behind reviews gives its pods the label color; set `version_label`."


@pytest.mark.parametrize("kind", ["VirtualService", "DestinationRule"])
def test_what_somebody_edited_since_is_not_taken_away(kind: str) -> None:
    mesh = bare()
    adopted(mesh)
    mesh.edit(kind, "shop/reviews", lambda each: each["spec"].update(exportTo=["."]))
    told = refused(mesh, is_undo=True)
    assert (told.reason_code, f"{kind} shop/reviews was changed" in told.text) == (ReasonCode.DRIFT, True)


def test_another_route_that_uses_the_subset_keeps_it() -> None:
    mesh = bare()
    adopted(mesh)
    mesh.put(a_virtual_service(name="ingress"))
    assert "names subset v1; it stays until that is gone." in refused(mesh, is_undo=True).text


def test_only_what_was_shown_is_done() -> None:
    mesh = bare()
    mark = shown(mesh).fingerprint
    mesh.put(a_virtual_service({"route": [a_destination(None)]}))
    told = mesh.adopt(REVIEWS, mark)
    assert isinstance(told, Refused)
    assert told.reason_code is ReasonCode.STALE_REVISION
    assert len(istio(mesh)) == 1


def test_an_object_that_a_controller_owns_is_left_to_it() -> None:
    route = a_virtual_service({"route": [a_destination(None)]})
    route["metadata"]["ownerReferences"] = [{"kind": "Canary", "name": "reviews", "controller": True}]
    told = refused(bare(route))
    assert told.reason_code is ReasonCode.FOREIGN_OWNER


def test_a_service_without_an_http_port_needs_a_route_by_hand() -> None:
    mesh = bare()
    mesh.edit("Service", "shop/reviews", lambda each: each["spec"].update(ports=[{"name": "tcp-redis", "port": 6379}]))
    assert refused(mesh).reason_code is ReasonCode.UNSUPPORTED_KIND


def test_nothing_adopted_is_nothing_to_take_back() -> None:
    assert refused(FakeMesh.shop(), is_undo=True).reason_code is ReasonCode.BAD_INPUT
