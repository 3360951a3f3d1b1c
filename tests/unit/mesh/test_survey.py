"""A service and a version become a target, or a refusal that says what is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from bot.mesh.survey import survey
from bot.surveys import NamedRoutes, SurveyRequest
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target
from tests.fakes_mesh import FakeMesh
from tests.mesh_documents import (
    Document,
    a_deployment,
    a_destination,
    a_rule,
    a_service,
    a_subset,
    a_virtual_service,
)


def asked(candidate: str = "v2", service: str = "reviews", **more: Any) -> SurveyRequest:
    settled: dict[str, Any] = {"namespace": "shop"} | more
    return SurveyRequest(service=service, candidate=candidate, **settled)


def shop(*documents: Document) -> FakeMesh:
    mesh = FakeMesh.shop()
    for document in documents:
        mesh.put(document)
    return mesh


def refusal(found: Target | Refused) -> Refused:
    assert isinstance(found, Refused)
    return found


def target(found: Target | Refused) -> Target:
    assert isinstance(found, Target), found
    return found


def main(*destinations: Document) -> Document:
    return a_virtual_service({"name": "main", "route": list(destinations)})


def test_colours_are_versions_where_the_profile_says_so() -> None:
    mesh = FakeMesh()
    for colour in ("blue", "green"):
        mesh.put(a_deployment(colour, label="color"))
    mesh.put(a_service())
    mesh.put(a_rule(a_subset("stable") | {"labels": {"color": "blue"}}, a_subset("green", "color")))
    mesh.put(a_virtual_service({"match": [{"uri": {"prefix": "/"}}], "route": [a_destination("stable")]}))
    found = target(survey(mesh, asked("green", version_label="color")))
    assert (found.baseline, found.subsets) == ("blue", {"blue": "stable", "green": "green"})
    assert found.workloads == {"blue": "reviews-blue", "green": "reviews-green"}
    assert found.routes[0].name == "#0"


def test_a_missing_subset_is_planned_under_a_name_that_istio_takes() -> None:
    found = target(survey(shop(a_deployment("v2.1")), asked("v2.1")))
    assert found.subsets == {"v1": "v1", "v2.1": "v2-1"}


def test_a_full_host_names_the_service_from_anywhere() -> None:
    found = target(survey(shop(), asked(service="reviews.shop.svc.cluster.local", namespace="elsewhere")))
    assert (found.service, found.namespace) == ("reviews", "shop")


def test_a_service_is_found_without_a_namespace_when_there_is_one() -> None:
    assert target(survey(shop(), asked(namespace=""))).namespace == "shop"


def test_a_name_in_two_namespaces_is_refused() -> None:
    refused = refusal(survey(shop(a_service(namespace="other")), asked(namespace="")))
    assert refused.reason_code is ReasonCode.UNKNOWN_SERVICE
    assert "other/reviews, shop/reviews" in refused.text


def test_an_unknown_service_says_what_is_watched() -> None:
    refused = refusal(survey(shop(), asked(service="ratings")))
    assert refused.reason_code is ReasonCode.UNKNOWN_SERVICE
    assert "Watched: all namespaces." in refused.text


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (main(a_destination("v1", 80), a_destination("v2", 20)), ReasonCode.BASELINE_NOT_FULL),
        (main(a_destination("v1", 80), a_destination("v1", 20, host="old")), ReasonCode.FOREIGN_DESTINATION),
        (main(a_destination("v1", 80), a_destination("v2", 10)), ReasonCode.WEIGHTS_SUM),
        (main(a_destination(None)), ReasonCode.NO_SUBSET),
        (main(a_destination("v9")), ReasonCode.NO_SUBSET),
        (main(a_destination("v2")), ReasonCode.SAME_VERSION),
    ],
)
def test_a_route_that_cannot_be_moved_is_refused_by_name(document: Document, expected: ReasonCode) -> None:
    assert refusal(survey(shop(document), asked())).reason_code is expected


def test_a_third_version_with_a_share_is_refused() -> None:
    mesh = shop(a_rule(*(a_subset(each) for each in ("v1", "v2", "v3"))))
    mesh.put(main(a_destination("v1", 90), a_destination("v3", 10)))
    refused = refusal(survey(mesh, asked()))
    assert refused.reason_code is ReasonCode.FOREIGN_DESTINATION
    assert "v1 90 %, v3 10 %" in refused.text


def test_a_named_baseline_that_serves_nothing_is_refused() -> None:
    refused = refusal(survey(shop(), asked(baseline="v0")))
    assert refused.reason_code is ReasonCode.BASELINE_NOT_FULL


def test_routes_that_nobody_named_are_remembered_as_those_that_stay() -> None:
    mesh = shop(a_virtual_service(name="ingress"))
    found = target(survey(mesh, asked(routes=(NamedRoutes("reviews", ("main",)),))))
    assert found.elsewhere == ('shop/ingress http[0] "main"',)


def test_named_routes_are_all_part_of_the_target() -> None:
    mesh = shop(a_virtual_service(name="ingress"))
    found = target(survey(mesh, asked(routes=(NamedRoutes("reviews", ("main",)), NamedRoutes("shop/ingress")))))
    assert found.objects == ("shop/reviews", "shop/ingress")
