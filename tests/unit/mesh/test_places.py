"""Routes are found by whole hosts and chosen only when there is no doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.mesh.choice import choose
from bot.surveys import NamedRoutes
from strategies.reasons import ReasonCode, Refused
from tests.mesh_documents import Document, a_destination, a_virtual_service

if TYPE_CHECKING:
    from bot.mesh.places import Place

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
    assert names(choose([two_routes()], HOST, [NamedRoutes("shop/reviews", http=("beta",))])) == ["beta"]


def test_a_nameless_route_is_named_by_its_index() -> None:
    assert names(choose([two_routes()], HOST, [NamedRoutes("shop/reviews", http=("#1",))])) == ["#1"]


def test_a_name_that_is_not_there_is_refused_with_those_that_are() -> None:
    refused = choose([two_routes()], HOST, [NamedRoutes("shop/reviews", http=("man",))])
    assert code(refused) is ReasonCode.NO_ROUTE
    assert "beta, #1" in str(refused)


def test_a_name_used_twice_is_refused() -> None:
    document = a_virtual_service(*({"name": "main", "route": [a_destination()]} for _ in range(2)))
    assert code(choose([document], HOST, [NamedRoutes("shop/reviews", http=("main",))])) is ReasonCode.AMBIGUOUS_ROUTE


def test_a_virtual_service_that_is_not_there_is_refused() -> None:
    assert code(choose([two_routes()], HOST, [NamedRoutes("shop/reveiws", http=())])) is ReasonCode.NO_ROUTE


def test_a_delegate_is_refused_by_name() -> None:
    document = a_virtual_service({"name": "main", "delegate": {"name": "inner"}})
    refused = choose([document], HOST)
    assert code(refused) is ReasonCode.DELEGATE
    assert "shop/inner" in str(refused)


def delegated(*, names_root: bool = True) -> list[Document]:
    root = a_virtual_service({"delegate": {"name": "inner"}}, {"name": "old", "redirect": {"uri": "/"}}, name="root")
    inner = a_virtual_service({"name": "main", "route": [a_destination()]}, name="inner")
    del inner["spec"]["hosts"]
    return [root, inner] if names_root else [inner]


def test_a_delegate_that_nobody_named_is_refused_with_the_line_that_names_it() -> None:
    refused = choose(delegated(), HOST)
    assert code(refused) is ReasonCode.DELEGATE
    assert "routes: [{delegate: inner, http: [main]}]" in str(refused)


@pytest.mark.parametrize("named", [("main",), ()])
def test_the_routes_of_a_named_delegate_may_be_moved(named: tuple[str, ...]) -> None:
    choice = NamedRoutes("shop/inner", http=named, is_delegate=True)
    assert names(choose(delegated(), HOST, [choice])) == ["main"]


def test_a_delegate_that_nobody_delegates_to_is_refused() -> None:
    refused = choose(delegated(names_root=False), HOST, [NamedRoutes("shop/inner", is_delegate=True)])
    assert (code(refused), "no watched VirtualService" in str(refused)) == (ReasonCode.DELEGATE, True)


def test_what_has_hosts_is_no_delegate() -> None:
    refused = choose([two_routes()], HOST, [NamedRoutes("shop/reviews", ("beta",), is_delegate=True)])
    assert code(refused) is ReasonCode.DELEGATE


def many() -> list[Document]:
    mesh = a_virtual_service(
        {"name": "main", "route": [a_destination()]},
        {"route": [a_destination()]},
        tcp=[{"match": [{"port": 9000}], "route": [a_destination()]}],
    )
    tls = [{"match": [{"port": 443, "sniHosts": ["reviews.example.com"]}], "route": [a_destination(host=HOST)]}]
    return [mesh, a_virtual_service(name="edge", namespace="ingress", http=[], tls=tls)]


def test_every_route_of_every_list_and_object_can_be_named() -> None:
    chosen = choose(
        many(), HOST, [NamedRoutes("shop/reviews", ("main", "#1"), ("#0",)), NamedRoutes("ingress/edge", tls=("#0",))]
    )
    assert not isinstance(chosen, Refused)
    assert [place.route.key for place in chosen] == [
        "shop/reviews/http/main",
        "shop/reviews/http/#1",
        "shop/reviews/tcp/#0",
        "ingress/edge/tls/#0",
    ]


def test_doubt_is_told_with_every_position_and_the_lines_that_settle_it() -> None:
    found = choose(many(), HOST)
    text = found.text if isinstance(found, Refused) else ""
    assert 'shop/reviews http[0] "main", shop/reviews http[1], shop/reviews tcp[0], ingress/edge tls[0]' in text
    line = "[{virtual_service: reviews, http: [main, '#1'], tcp: ['#0']}, {virtual_service: ingress/edge, tls: ['#0']}]"
    assert f"routes: {line}" in text


@pytest.mark.parametrize("protocol", ["tcp", "tls"])
def test_the_only_route_may_carry_connections(protocol: str) -> None:
    spec: dict[str, Any] = {protocol: [{"route": [a_destination()]}], "http": []}
    assert names(choose([a_virtual_service(**spec)], HOST)) == ["#0"]


def test_a_name_is_looked_for_in_its_own_list() -> None:
    refused = choose(many(), HOST, [NamedRoutes("shop/reviews", tcp=("main",))])
    assert (code(refused), 'no tcp route "main"; its tcp routes are: #0' in str(refused)) == (ReasonCode.NO_ROUTE, True)
