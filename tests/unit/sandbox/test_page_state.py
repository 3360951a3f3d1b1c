"""Figures of the page: what the route asks for, what the requests show."""

from typing import Any

import pytest

from bot.sandbox.page.state import asked_of_v2, asked_words, shares
from bot.sandbox.route_memory import RouteMemory, asked, everything_asked


def route(*destinations: dict[str, Any]) -> dict[str, Any]:
    elsewhere = {"name": "stars", "route": [{"destination": {"host": "ratings"}}]}
    return {"spec": {"http": [elsewhere, {"name": "main", "route": list(destinations)}]}}


def to(subset: str, weight: int | None = None) -> dict[str, Any]:
    destination = {"destination": {"host": "reviews", "subset": subset}}
    return destination if weight is None else {**destination, "weight": weight}


def second(at: int, v1: int, v2: int) -> dict[str, Any]:
    return {"at": at, "versions": {"v1": {"requests": v1}, "v2": {"requests": v2}}}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (route(to("v1")), {"v1": 100, "v2": 0}),
        (route(to("v1", 95), to("v2", 5)), {"v1": 95, "v2": 5}),
        (route(to("v1", 0), to("v2", 100)), {"v1": 0, "v2": 100}),
        ({"spec": {}}, {"v1": 0, "v2": 0}),
    ],
)
def test_the_main_route_tells_what_is_asked(document: dict[str, Any], expected: dict[str, int]) -> None:
    assert asked(document) == expected


def test_the_share_is_that_of_the_last_five_seconds() -> None:
    seconds = [second(0, 0, 1000), *(second(at, 95, 5) for at in range(1, 6))]
    assert shares(seconds, 0.0) == {"v1": 0.95, "v2": 0.05}


def test_seconds_before_the_last_change_do_not_count() -> None:
    seconds = [second(at, 100, 0) for at in range(1, 5)] + [second(5, 50, 50)]
    assert shares(seconds, 4.2) == {"v1": 0.5, "v2": 0.5}


def test_without_a_request_there_is_no_share() -> None:
    assert shares([], 0.0) is None
    assert shares([second(1, 0, 0)], 0.0) is None


def test_the_memory_keeps_the_first_route_and_the_moment_of_the_last_change() -> None:
    memory, first, second_route = RouteMemory(), route(to("v1")), route(to("v1", 95), to("v2", 5))
    memory.see(first)
    began = memory.moved_at
    memory.see(first)
    assert (memory.moved_at, memory.asked["v2"]) == (began, 0)
    memory.see(second_route)
    assert (memory.original, memory.asked["v2"]) == (first, 5)
    assert memory.moved_at >= began


def inserted(header: str, text: dict[str, str], subset: str = "v2") -> dict[str, Any]:
    match = [{"headers": {header: text}}]
    return {"name": "sluice-reviews-1:main:1", "match": match, "route": [to(subset)]}


def test_what_stands_beside_the_weights_is_told_apart() -> None:
    plain, mirrored = route(to("v1", 80), to("v2", 20)), route(to("v1"))
    mirrored["spec"]["http"][1] |= {"mirror": {"host": "reviews", "subset": "v2"}, "mirrorPercentage": {"value": 20}}
    assert [asked_of_v2(everything_asked(one)) for one in (plain, mirrored)] == ["20 %", "copies 20 %"]
    matched, kept = route(to("v1")), route(to("v1", 80), to("v2", 20))
    matched["spec"]["http"].insert(1, inserted("x-beta", {"exact": "1"}))
    kept["spec"]["http"].insert(1, inserted("cookie", {"regex": r"^(.*;\s*)?sluice\-reviews\-1=v2(;.*)?$"}))
    assert [asked_of_v2(everything_asked(one)) for one in (matched, kept)] == ["a match", "20 % kept"]
    assert asked(matched) == {"v1": 100, "v2": 0}


def test_each_version_is_told_what_it_should_get() -> None:
    told = asked_words(everything_asked(route(to("v1", 80), to("v2", 20))))
    assert told == {"v1": "asked 80 %", "v2": "asked 20 %"}
    mirrored = route(to("v1"))
    mirrored["spec"]["http"][1] |= {"mirror": {"host": "reviews", "subset": "v2"}, "mirrorPercentage": {"value": 20}}
    assert asked_words(everything_asked(mirrored)) == {"v1": "asked 100 %", "v2": "copies 20 %"}
