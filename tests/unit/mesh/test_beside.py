"""Matches and mirrors are written beside the weights, read back, and taken out without a trace."""

from __future__ import annotations

import copy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.mesh.choice import choose
from bot.mesh.drift import find_drift
from bot.mesh.readiness import originals
from bot.mesh.virtual_service import capture, carries, describe, edit, read_split
from strategies.plan import Plan, Stage, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.release import Drift
from strategies.routing import Match, Mirror, Split
from tests.builders import a_release
from tests.fakes_mesh import FakeMesh
from tests.mesh_documents import Document, a_destination, a_virtual_service
from tests.unit.mesh.orders import FIVE, an_order, back, the_target

BETA = Match("header:x-beta", "v2", exact="1")
NOBODY = Split.between("v1", "v2", Decimal(0))
MATCHED = replace(FIVE, matches=(BETA,))
MIRRORED = replace(NOBODY, mirror=Mirror("v2", Decimal(20)))
BOTH = replace(MATCHED, mirror=Mirror("v2", Decimal("0.5")))


def edited(document: Document, *orders: Any) -> Document:
    result = edit(document, orders)
    assert not isinstance(result, Refused), result
    return result


def http(document: Document) -> list[Document]:
    found: list[Document] = document["spec"]["http"]
    return found


def blocks(document: Document, *matches: Match) -> Any:
    """The inserted route's match blocks, or the refusal."""
    order = an_order(document, replace(FIVE, matches=matches))
    result = edit(document, [order])
    return result if isinstance(result, Refused) else http(result)[0]["match"]


def test_a_match_becomes_a_route_of_its_own_before_the_targeted_one() -> None:
    document = a_virtual_service()
    inserted, main = http(edited(document, an_order(document, MATCHED)))
    assert inserted == {
        "name": "sluice-reviews-1:main:1",
        "match": [{"headers": {"x-beta": {"exact": "1"}}}],
        "route": [a_destination("v2")],
        "timeout": "10s",
    }
    assert main["route"] == [a_destination("v1", 95), a_destination("v2", 5)]


def test_an_inserted_route_has_all_that_the_targeted_one_has() -> None:
    more = {"retries": {"attempts": 3}, "rewrite": {"uri": "/"}, "headers": {"request": {"remove": ["x"]}}, "fault": {}}
    lone = a_destination("v1", headers={"response": {"add": {"a": "b"}}})
    document = a_virtual_service({"name": "main", "route": [lone], **more})
    inserted = http(edited(document, an_order(document, MATCHED)))[0]
    assert {key: inserted[key] for key in more} == more
    assert inserted["route"] == [a_destination("v2", headers={"response": {"add": {"a": "b"}}})]


def test_a_share_of_the_matched_requests_leaves_the_rest_to_the_baseline() -> None:
    document = a_virtual_service()
    inserted, main = http(
        edited(document, an_order(document, replace(NOBODY, matches=(replace(BETA, share=Decimal(1)),))))
    )
    assert inserted["route"] == [a_destination("v1", 99), a_destination("v2", 1)]
    assert main == http(document)[0]


def test_an_inserted_route_takes_the_product_of_both_matches() -> None:
    own = [{"uri": {"prefix": "/api"}, "gateways": ["mesh"]}, {"headers": {"x-old": {"exact": "1"}}}]
    document = a_virtual_service({"name": "main", "match": own, "route": [a_destination()]})
    beta = {"x-beta": {"exact": "1"}}
    assert blocks(document, BETA, Match("query:beta", "v2", regex="1|yes")) == [
        {"uri": {"prefix": "/api"}, "gateways": ["mesh"], "headers": beta},
        {"uri": {"prefix": "/api"}, "gateways": ["mesh"], "queryParams": {"beta": {"regex": "1|yes"}}},
        {"headers": {"x-old": {"exact": "1"}} | beta},
        {"headers": {"x-old": {"exact": "1"}}, "queryParams": {"beta": {"regex": "1|yes"}}},
    ]


@pytest.mark.parametrize(
    ("own", "ours", "both"),
    [
        ({"uri": {"prefix": "/"}}, Match("uri", "v2", regex="/b.*"), {"uri": {"regex": "/b.*"}}),
        ({"uri": {"prefix": "/api"}}, Match("uri", "v2", prefix="/api/b"), {"uri": {"prefix": "/api/b"}}),
        ({"uri": {"prefix": "/api/b"}}, Match("uri", "v2", prefix="/api"), {"uri": {"prefix": "/api/b"}}),
        ({"uri": {"prefix": "/api"}}, Match("uri", "v2", exact="/api/b"), {"uri": {"exact": "/api/b"}}),
        ({"uri": {"exact": "/api/b"}}, Match("uri", "v2", prefix="/api"), {"uri": {"exact": "/api/b"}}),
        ({"headers": {"X-Beta": {}}}, BETA, {"headers": {"X-Beta": {"exact": "1"}}}),
        ({"method": {"exact": "GET"}}, Match("method", "v2", exact="GET"), {"method": {"exact": "GET"}}),
        ({"sourceLabels": {"app": "a"}}, Match("source_label:app", "v2", exact="a"), {"sourceLabels": {"app": "a"}}),
        ({"ignoreUriCase": True}, Match("uri", "v2", exact="/b"), {"uri": {"exact": "/b"}}),
        ({}, Match("authority", "v2", exact="beta.shop"), {"authority": {"exact": "beta.shop"}}),
    ],
)
def test_two_conditions_on_one_thing_become_the_narrower(own: Document, ours: Match, both: Document) -> None:
    document = a_virtual_service({"name": "main", "match": [own], "route": [a_destination()]})
    assert blocks(document, ours) == [both]


@pytest.mark.parametrize(
    ("own", "ours", "why"),
    [
        ({"uri": {"prefix": "/api"}}, Match("uri", "v2", prefix="/beta"), "never takes requests of uri^=/beta"),
        ({"uri": {"prefix": "/api"}}, Match("uri", "v2", exact="/beta"), "never takes requests"),
        ({"uri": {"exact": "/api"}}, Match("uri", "v2", prefix="/beta"), "never takes requests"),
        ({"headers": {"x-beta": {"exact": "2"}}}, BETA, "never takes requests"),
        ({"sourceLabels": {"app": "a"}}, Match("source_label:app", "v2", exact="b"), "never takes requests"),
        ({"uri": {"regex": "/a.*"}}, Match("uri", "v2", prefix="/a"), "cannot be written as one match"),
        ({"uri": {"prefix": "/a"}}, Match("uri", "v2", regex="/a.*"), "cannot be written as one match"),
        ({"uri": {"prefix": "/a"}, "ignoreUriCase": True}, Match("uri", "v2", prefix="/a/b"), "in any case"),
        ({"headers": {"cookie": {"regex": "a=1"}}}, Match("cookie:b", "v2", exact="1"), "cannot be written"),
    ],
)
def test_what_the_route_never_takes_or_cannot_be_asked_on_top_is_refused(own: Document, ours: Match, why: str) -> None:
    document = a_virtual_service({"name": "main", "match": [own], "route": [a_destination()]})
    found = blocks(document, ours)
    assert isinstance(found, Refused)
    assert (found.reason_code, why in found.text) == (ReasonCode.BAD_INPUT, True)


@pytest.mark.parametrize(
    ("match", "regex"),
    [
        (Match("cookie:user", "v2", exact="j.s"), r"^(.*;\s*)?user=j\.s(;.*)?$"),
        (Match("cookie:user", "v2", prefix="ja"), r"^(.*;\s*)?user=ja[^;]*(;.*)?$"),
        (Match("cookie:user", "v2", regex="a|b"), r"^(.*;\s*)?user=(a|b)(;.*)?$"),
    ],
)
def test_a_cookie_is_a_pattern_over_its_header(match: Match, regex: str) -> None:
    assert blocks(a_virtual_service(), match) == [{"headers": {"cookie": {"regex": regex}}}]


def test_matches_with_different_ends_are_routes_in_their_order() -> None:
    matches = (BETA, replace(BETA, on="header:x-team"), replace(BETA, on="header:x-old", to="v1"))
    document = a_virtual_service()
    found = http(edited(document, an_order(document, replace(FIVE, matches=matches))))
    assert [each.get("name") for each in found] == ["sluice-reviews-1:main:1", "sluice-reviews-1:main:2", "main"]
    assert [each["route"] for each in found[:2]] == [[a_destination("v2")], [a_destination("v1")]]
    assert len(found[0]["match"]) == 2


def test_a_mirror_is_written_with_its_percentage_and_the_weights_stay() -> None:
    document = a_virtual_service()
    (main,) = http(edited(document, an_order(document, MIRRORED)))
    added = {"mirror": {"host": "reviews", "subset": "v2"}, "mirrorPercentage": {"value": 20}}
    assert main == http(document)[0] | added


def test_a_mirror_may_be_half_a_percent() -> None:
    document = a_virtual_service()
    assert http(edited(document, an_order(document, BOTH)))[1]["mirrorPercentage"] == {"value": 0.5}


@pytest.mark.parametrize(
    "own",
    [{"mirror": {"host": "audit"}}, {"mirrors": [{"destination": {"host": "audit"}, "percentage": {"value": 1}}]}],
)
def test_a_mirror_of_somebody_else_is_never_replaced(own: Document) -> None:
    document = a_virtual_service({"name": "main", "route": [a_destination()], **own})
    found = edit(document, [an_order(document, MIRRORED)])
    assert isinstance(found, Refused)
    assert found.reason_code is ReasonCode.FOREIGN_MIRROR
    kept = edited(document, an_order(document, MATCHED))
    assert all(each[key] == value for each in http(kept) for key, value in own.items())
    assert edited(kept, back(an_order(document, MATCHED))) == document


def test_a_mirror_to_the_candidate_that_was_there_before_is_kept() -> None:
    own = {"mirror": {"host": "reviews", "subset": "v2"}, "mirrorPercent": 5}
    document = a_virtual_service({"name": "main", "route": [a_destination()], **own})
    order = an_order(document, FIVE)
    assert edited(edited(document, order), back(order)) == document
    assert isinstance(edit(document, [an_order(document, MIRRORED)]), Refused)


@pytest.mark.parametrize("split", [MATCHED, MIRRORED, BOTH])
def test_what_was_written_is_read_recognised_and_undone(split: Split) -> None:
    document = a_virtual_service({"match": [{"uri": {"prefix": "/"}}], "route": [a_destination()]})
    order = an_order(document, split, name="#0")
    written = edited(document, order)
    assert read_split(written, order.route, order.target, order.original) == split
    assert carries(written, [order])
    assert find_drift(written, [replace(order, expected=FIVE)]) is None
    assert edited(written, back(order)) == document


def test_the_next_stage_replaces_what_stands_beside_the_weights() -> None:
    document = a_virtual_service()
    first = an_order(document, BOTH)
    following = replace(first, split=replace(FIVE, mirror=Mirror("v2", Decimal(50))), expected=BOTH)
    written = edited(edited(document, first), following)
    assert [each.get("name") for each in http(written)] == ["main"]
    assert http(written)[0]["mirrorPercentage"] == {"value": 50}


def test_a_bare_stage_leaves_no_trace_but_the_weights() -> None:
    document = a_virtual_service()
    written = edited(edited(document, an_order(document, BOTH)), an_order(document, FIVE))
    assert written == edited(document, an_order(document, FIVE))
    assert set(written["metadata"]["annotations"]) == {"sluice/release", "sluice/revision", "sluice/routes"}


def test_an_inserted_route_follows_edits_of_the_targeted_one() -> None:
    document = a_virtual_service()
    order = an_order(document, MATCHED)
    written = edited(document, order)
    http(written)[1]["timeout"] = "3s"
    assert find_drift(written, [replace(order, expected=MATCHED)]) is None
    assert [each["timeout"] for each in http(edited(written, order))] == ["3s", "3s"]


def test_a_route_put_between_ours_and_the_targeted_one_stays_there() -> None:
    document = a_virtual_service()
    order = an_order(document, MATCHED)
    written = edited(document, order)
    between = {"name": "health", "match": [{"uri": {"exact": "/health"}}], "directResponse": {"status": 200}}
    http(written).insert(1, between)
    assert edited(written, order) == written
    assert http(edited(written, back(order))) == [between, *http(document)]


def widened(document: Document) -> None:
    http(document)[0]["match"] = [{}]


def led_elsewhere(document: Document) -> None:
    http(document)[0]["route"] = [a_destination("v1")]


def put_behind(document: Document) -> None:
    http(document).append(http(document).pop(0))


def unnoted(document: Document) -> None:
    document["metadata"]["annotations"]["sluice/added"] = "{"


def unreadable(document: Document) -> None:
    document["metadata"]["annotations"]["sluice/added"] = '{"reviews-1":{"main":{"matches":[{"on":"uri"}]}},"x":1}'


def listed(document: Document) -> None:
    document["metadata"]["annotations"]["sluice/added"] = "[]"


@pytest.mark.parametrize("change", [unreadable, listed, widened, led_elsewhere, put_behind, unnoted])
def test_a_hand_on_the_inserted_route_is_drift_and_force_puts_it_right(change: Any) -> None:
    document = a_virtual_service()
    order = an_order(document, MATCHED, expected=MATCHED)
    written = edited(document, order)
    changed = copy.deepcopy(written)
    change(changed)
    drift = find_drift(changed, [order])
    assert isinstance(drift, Drift)
    assert (drift.split, "changed by hand" in drift.difference) == (None, True)
    assert http(edited(changed, order)) == http(written)
    assert http(edited(changed, back(order))) == http(document)


def test_a_mirror_that_somebody_raised_is_drift_that_can_be_adopted() -> None:
    document = a_virtual_service()
    order = an_order(document, MIRRORED, expected=MIRRORED)
    written = edited(document, order)
    http(written)[0]["mirrorPercentage"]["value"] = 80
    drift = find_drift(written, [order])
    assert drift is not None
    assert drift.split == replace(NOBODY, mirror=Mirror("v2", Decimal(80)))
    assert "left v1 100 %, v2 0 %, mirror 20 % to v2; now v1 100 %, v2 0 %, mirror 80 % to v2" in drift.difference


def test_a_mirror_at_nothing_is_drift_without_a_split() -> None:
    document = a_virtual_service()
    order = an_order(document, MIRRORED, expected=MIRRORED)
    written = edited(document, order)
    http(written)[0]["mirrorPercentage"] = {"value": 0}
    drift = find_drift(written, [order])
    assert drift is not None
    assert drift.split is None


def test_a_mirror_that_somebody_led_elsewhere_is_theirs() -> None:
    document = a_virtual_service()
    order = an_order(document, MIRRORED)
    written = edited(document, order)
    http(written)[0]["mirror"] = {"host": "audit"}
    assert http(edited(written, back(order)))[0]["mirror"] == {"host": "audit"}


def test_a_rollback_takes_a_mirror_away_that_no_note_speaks_of_any_more() -> None:
    document = a_virtual_service()
    order = an_order(document, MIRRORED)
    written = edited(document, order)
    del written["metadata"]["annotations"]["sluice/added"]
    assert edited(written, back(order)) == document


def test_two_routes_of_one_release_keep_their_matches_apart() -> None:
    beta = {"name": "beta", "match": [{"uri": {"prefix": "/beta"}}], "route": [a_destination()]}
    document = a_virtual_service(beta, {"name": "main", "route": [a_destination()]})
    first, second = an_order(document, MATCHED), an_order(document, BOTH, name="beta")
    both = edited(document, first, second)
    assert [each["name"] for each in http(both)] == [
        "sluice-reviews-1:beta:1",
        "beta",
        "sluice-reviews-1:main:1",
        "main",
    ]
    assert read_split(both, first.route, first.target) == MATCHED
    assert read_split(both, second.route, second.target) == BOTH
    assert edited(both, back(first), back(second)) == document


def test_our_routes_are_nobodys_target_while_their_release_is_marked() -> None:
    document = a_virtual_service()
    written = edited(document, an_order(document, MATCHED))
    places = choose([written], the_target().host)
    assert not isinstance(places, Refused)
    assert [place.route.name for place in places] == ["main"]
    del written["metadata"]["annotations"]
    found = choose([written], the_target().host)
    assert isinstance(found, Refused)
    assert found.reason_code is ReasonCode.AMBIGUOUS_ROUTE


def test_an_edit_for_a_file_is_named_after_the_service_and_leaves_no_note() -> None:
    document = a_virtual_service()
    written = edited(document, an_order(document, BOTH, release=""))
    assert http(written)[0]["name"] == "sluice-reviews:main:1"
    assert "annotations" not in written["metadata"]


def test_a_plan_that_cannot_be_written_is_refused_before_its_first_stage() -> None:
    mesh = FakeMesh.shop()
    mesh.edit("VirtualService", "shop/reviews", lambda document: http(document)[0].update(mirror={"host": "audit"}))
    plan = Plan(StrategyName.SHADOW, (Stage({"reviews": MIRRORED}, a_release().plan.stages[0].hold),))
    found = originals(mesh, a_release(plan=plan), the_target())
    assert isinstance(found, Refused)
    assert found.reason_code is ReasonCode.FOREIGN_MIRROR


def test_captured_fields_name_a_mirror_only_where_there_is_one() -> None:
    document = a_virtual_service({"name": "main", "route": [a_destination()], "mirror": {"host": "audit"}})
    assert '"mirror":{"host":"audit"}' in str(capture(document, the_target().routes[0], the_target()))
    assert "mirror" not in str(capture(a_virtual_service(), the_target().routes[0], the_target()))


def test_a_split_is_described_with_all_it_carries() -> None:
    half = replace(BOTH, matches=(replace(BETA, share=Decimal(1)),))
    assert describe(half) == "v1 95 %, v2 5 %, header:x-beta=1 to v2 (1 %), mirror 0.5 % to v2"
