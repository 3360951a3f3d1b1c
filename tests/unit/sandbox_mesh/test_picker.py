from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.mesh.picker import Asked, choose, edited, find_route, rewritten
from bot.sandbox.mesh.routing import ClusterName, HeaderEdits, Rewrite, Route, Share, VirtualHost
from tests.unit.sandbox_mesh.documents import routes, to


def share(name: str, weight: int) -> Share:
    return Share(ClusterName(80, name, "h"), weight)


def asked(path: str = "/", query: dict[str, str] | None = None, **headers: str) -> Asked:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Asked(path, query or {}, {":method": "GET", ":authority": "reviews", **named})


def taken(block: dict[str, Any], request: Asked) -> bool:
    host = VirtualHost("h", ("reviews",), routes({"match": [block], "route": [to("v1")]}))
    return find_route(host, request) is not None


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=5))
def test_over_all_luck_each_destination_gets_its_weight(weights: list[int]) -> None:
    shares = tuple(share(str(number), weight) for number, weight in enumerate(weights))
    total = sum(weights)
    picked = [choose(shares, (ticket + 0.5) / 1000) for ticket in range(1000)]
    for one in shares:
        expected = 1000 * one.weight / total if total else 0
        assert abs(picked.count(one) - expected) <= 1


def test_without_any_weight_nothing_is_chosen() -> None:
    assert choose((share("a", 0), share("b", 0)), 0.5) is None
    assert choose((share("a", 0),), 0.5) == share("a", 0)


@pytest.mark.parametrize(
    ("block", "request_", "holds"),
    [
        ({"uri": {"prefix": "/a"}}, asked("/ab"), True),
        ({"uri": {"exact": "/a"}}, asked("/ab"), False),
        ({"uri": {"regex": "/a|/b"}}, asked("/b"), True),
        ({"uri": {"regex": "/a"}}, asked("/ab"), False),
        ({"uri": {"exact": "/A"}, "ignoreUriCase": True}, asked("/a"), True),
        ({"headers": {"x-user-group": {"exact": "internal"}}}, asked(x_user_group="internal"), True),
        ({"headers": {"x-user-group": {"exact": "internal"}}}, asked(), False),
        ({"headers": {"x": {}}}, asked(x=""), True),
        ({"withoutHeaders": {"x": {"exact": "1"}}}, asked(), True),
        ({"withoutHeaders": {"x": {"exact": "1"}}}, asked(x="1"), False),
        ({"queryParams": {"v": {"exact": "2"}}}, asked(query={"v": "2"}), True),
        ({"method": {"exact": "POST"}}, asked(), False),
        ({"authority": {"prefix": "rev"}}, asked(), True),
    ],
)
def test_a_match_holds_as_istio_says(block: dict[str, Any], request_: Asked, holds: bool) -> None:
    assert taken(block, request_) is holds


def test_the_first_route_that_matches_wins() -> None:
    both = routes({"name": "one", "route": [to("v1")]}, {"name": "two", "route": [to("v2")]})
    found = find_route(VirtualHost("h", (), both), asked())
    assert isinstance(found, Route) and found.name == "one"


def test_a_prefix_is_rewritten_and_the_rest_kept() -> None:
    match = routes({"match": [{"uri": {"prefix": "/old"}}], "route": [to("v1")]})[0].match
    assert rewritten(Rewrite(path="/new"), match, "/old/7") == "/new/7"
    assert rewritten(Rewrite(pattern=("/old/(.)", r"/\1")), match, "/old/7") == "/7"
    assert rewritten(Rewrite(), match, "/old/7") == "/old/7"


def test_headers_are_set_added_and_removed() -> None:
    edits = HeaderEdits(set=(("A", "2"),), add=(("b", "2"), ("d", "4")), remove=("C",))
    assert edited({"a": "1", "B": "1", "c": "3"}, edits) == {"A": "2", "b": "1,2", "d": "4"}
