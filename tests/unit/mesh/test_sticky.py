"""A cookie keeps people at one version: which routes and headers that takes, and that nothing of it stays."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from bot.mesh.drift import find_drift
from bot.mesh.virtual_service import describe, edit
from strategies.plan import StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.routing import Split, Sticky
from tests.mesh_documents import Document, a_destination, a_virtual_service
from tests.unit.mesh.orders import an_order, back
from tests.unit.strategies.specs import a_spec, planned

FIRST = replace(Split.between("v1", "v2", Decimal(5)), sticky=Sticky())
SECOND = replace(Split.between("v1", "v2", Decimal(25)), sticky=Sticky(1, Decimal("21.05")))
TAIL = "; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax"


def edited(document: Document, split: Split) -> Document:
    result = edit(document, [an_order(a_virtual_service(), split)])
    assert not isinstance(result, Refused), result
    return result


def cookie(destination: Document) -> str:
    found: str = destination["headers"]["response"]["add"]["Set-Cookie"]
    return found.removesuffix(TAIL)


def match_of(route: Document) -> Any:
    [block] = route["match"]
    return block["headers"]["cookie"]["regex"]


def test_the_first_share_keeps_both_and_draws_whoever_is_new() -> None:
    kept, left, main = edited(a_virtual_service(), FIRST)["spec"]["http"]
    assert (match_of(kept), kept["route"]) == (r"^(.*;\s*)?sluice\-reviews\-1=v2(;.*)?$", [a_destination("v2")])
    assert (match_of(left), left["route"]) == (r"^(.*;\s*)?sluice\-reviews\-1=v1\~0(;.*)?$", [a_destination("v1")])
    assert [(each["weight"], cookie(each)) for each in main["route"]] == [
        (95, "sluice-reviews-1=v1~0"), (5, "sluice-reviews-1=v2"),
    ]  # fmt: skip


def test_a_larger_share_draws_those_again_whom_an_earlier_one_left() -> None:
    kept, left, again, main = edited(edited(a_virtual_service(), FIRST), SECOND)["spec"]["http"]
    assert r"=v1\~1(" in match_of(left)
    assert r"=v1\~[^;]*(" in match_of(again)
    assert [(each["weight"], cookie(each)) for each in again["route"]] == [
        (7895, "sluice-reviews-1=v1~1"), (2105, "sluice-reviews-1=v2"),
    ]  # fmt: skip
    assert [(each["weight"], cookie(each)) for each in main["route"]][1] == (25, "sluice-reviews-1=v2")
    assert "headers" not in kept["route"][0]


def test_the_rise_brings_the_people_to_the_new_share() -> None:
    plan = planned(a_spec(StrategyName.CANARY, "5", "25", "50", "100", is_sticky=True))
    rises = [stage.splits["reviews"].sticky for stage in plan.stages]
    assert rises == [
        Sticky(0, Decimal("0.00")), Sticky(1, Decimal("21.05")), Sticky(2, Decimal("33.33")), None,
    ]  # fmt: skip


def test_all_of_it_goes_with_a_rollback() -> None:
    document = a_virtual_service()
    order = an_order(document, SECOND)
    restored = edit(edited(document, SECOND), [back(order)])
    assert restored == document


def test_what_a_destination_says_itself_stays() -> None:
    headers = {"response": {"add": {"x-a": "b"}}, "request": {"remove": ["y"]}}
    document = a_virtual_service({"name": "main", "route": [a_destination(headers=headers)]})
    order = an_order(document, FIRST)
    written = edit(document, [order])
    assert not isinstance(written, Refused)
    assert written["spec"]["http"][2]["route"][0]["headers"]["response"]["add"]["x-a"] == "b"
    assert edit(written, [back(order)]) == document


def test_a_destination_that_adds_a_cookie_itself_is_refused() -> None:
    own = a_destination(headers={"response": {"add": {"set-cookie": "a=b"}}})
    document = a_virtual_service({"name": "main", "route": [own]})
    refused = edit(document, [an_order(document, FIRST)])
    assert isinstance(refused, Refused)
    assert (refused.reason_code, "adds a Set-Cookie itself" in refused.text) == (ReasonCode.BAD_INPUT, True)


def test_a_cookie_that_somebody_took_out_is_drift() -> None:
    document = a_virtual_service()
    order = an_order(document, FIRST, expected=FIRST)
    written = edited(document, FIRST)
    assert find_drift(written, [order]) is None
    del written["spec"]["http"][2]["route"][1]["headers"]
    drift = find_drift(written, [order])
    assert drift is not None
    assert "cookies" in drift.difference
    assert describe(FIRST).endswith("each person kept by a cookie")
