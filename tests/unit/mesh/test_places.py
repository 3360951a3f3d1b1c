"""Routes are found by whole hosts and chosen only when there is no doubt."""

from __future__ import annotations

from typing import Any

import pytest

from bot.mesh.places import Place, choose
from strategies.reasons import ReasonCode, Refused
from tests.mesh_documents import Document, a_destination, a_virtual_service

HOST = "reviews.shop.svc.cluster.local"


def names(found: tuple[Place, ...] | Refused) -> list[str]:
    assert not isinstance(found, Refused), found
    return [place.route.name for place in found]


def code(found: tuple[Place, ...] | Refused) -> ReasonCode:
    assert isinstance(found, Refused)
    return found.reason_code


def two_routes() -> Document:
    beta = {"name": "beta", "match": [{"uri": {"prefix": "/beta"}}], "route": [a_destination("v2")]}
    return a_virtual_service(beta, {"route": [a_destination()]})


def test_the_only_route_is_found_among_routes_to_others() -> None:
    others = {"name": "stars", "route": [a_destination(host="ratings")]}
    document = a_virtual_service(others, {"name": "main", "route": [a_destination()]})
    assert names(choose([document], HOST)) == ["main"]


def test_a_host_is_resolved_in_the_namespace_of_its_virtual_service() -> None:
    elsewhere = a_virtual_service(namespace="other")
    assert code(choose([elsewhere], HOST)) is ReasonCode.NO_ROUTE


def test_a_full_host_leads_here_from_any_namespace() -> None:
    elsewhere = a_virtual_service({"name": "in", "route": [a_destination(host=HOST)]}, namespace="ingress")
    assert names(choose([elsewhere], HOST)) == ["in"]


@pytest.mark.parametrize("host", ["reviews-extra", "reviews.shop", "Reviews", "reviews.shop.svc"])
def test_a_host_that_looks_alike_is_no_route(host: str) -> None:
    document = a_virtual_service({"name": "main", "route": [a_destination(host=host)]})
    assert code(choose([document], HOST)) is ReasonCode.NO_ROUTE


def test_several_routes_are_refused_with_every_position() -> None:
    refused = choose([two_routes()], HOST)
    assert code(refused) is ReasonCode.AMBIGUOUS_ROUTE
    assert 'shop/reviews http[0] "beta", shop/reviews http[1]' in str(refused)


def test_a_named_route_settles_the_doubt() -> None:
    assert names(choose([two_routes()], HOST, [("shop/reviews", ("beta",))])) == ["beta"]


def test_a_nameless_route_is_named_by_its_index() -> None:
    assert names(choose([two_routes()], HOST, [("shop/reviews", ("#1",))])) == ["#1"]


def test_a_name_that_is_not_there_is_refused_with_those_that_are() -> None:
    refused = choose([two_routes()], HOST, [("shop/reviews", ("man",))])
    assert code(refused) is ReasonCode.NO_ROUTE
    assert "beta, #1" in str(refused)


def test_a_name_used_twice_is_refused() -> None:
    document = a_virtual_service(*({"name": "main", "route": [a_destination()]} for _ in range(2)))
    assert code(choose([document], HOST, [("shop/reviews", ("main",))])) is ReasonCode.AMBIGUOUS_ROUTE


def test_a_virtual_service_that_is_not_there_is_refused() -> None:
    assert code(choose([two_routes()], HOST, [("shop/reveiws", ())])) is ReasonCode.NO_ROUTE


def test_a_delegate_is_refused_by_name() -> None:
    document = a_virtual_service({"name": "main", "delegate": {"name": "inner"}})
    refused = choose([document], HOST)
    assert code(refused) is ReasonCode.DELEGATE
    assert "shop/inner" in str(refused)


@pytest.mark.parametrize("protocol", ["tcp", "tls"])
def test_a_route_that_is_not_http_is_refused(protocol: str) -> None:
    spec: dict[str, Any] = {protocol: [{"route": [a_destination()]}], "http": []}
    assert code(choose([a_virtual_service(**spec)], HOST)) is ReasonCode.UNSUPPORTED_KIND
