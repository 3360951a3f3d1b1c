"""Properties of the editor over generated documents, splits and strangers' edits."""

from __future__ import annotations

import copy
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import assume, given
from hypothesis import strategies as st

from bot.mesh.documents import canonical
from bot.mesh.names import release_of
from bot.mesh.virtual_service import edit, read_split
from strategies.plan import SideEffects, StrategyName
from strategies.reasons import Refused
from strategies.routing import Match, Mirror, Split, Sticky
from tests.mesh_documents import Document, a_destination, a_virtual_service
from tests.unit.mesh.orders import an_order, back
from tests.unit.strategies.specs import a_spec, planned

if TYPE_CHECKING:
    from bot.ports import RouteOrder

shares = st.integers(0, 10_000).map(lambda hundredths: Decimal(hundredths) / 100)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)
texts = st.sampled_from(["/", "/api", "/api/b", "/c", "1", "a;b=c", "é\\.", "GET"])
ours = st.builds(
    lambda on, operator, text, to, share: Match(on, to, share=share, **{operator: text}),
    st.sampled_from(["header:x-beta", "cookie:user", "query:q", "uri", "method", "authority"]),
    st.sampled_from(["exact", "prefix", "regex"]),
    texts,
    st.sampled_from(["v1", "v2"]),
    st.sampled_from([Decimal(100), Decimal(1), Decimal("0.5")]),
)
compared = st.builds(lambda operator, text: {operator: text}, st.sampled_from(["exact", "prefix", "regex"]), texts)
own_blocks = st.lists(
    st.dictionaries(st.sampled_from(["uri", "method", "authority"]), compared)
    | st.just({"headers": {"x-beta": {}}, "gateways": ["mesh"]}),
    max_size=3,
)
mirrors = st.none() | st.builds(Mirror, st.just("v2"), st.integers(1, 10_000).map(lambda cents: Decimal(cents) / 100))
extras = st.dictionaries(
    st.sampled_from(["timeout", "retries", "fault", "corsPolicy", "headers", "rewrite"]),
    values,
)
beginnings = st.sampled_from(
    [
        [a_destination("v1")],
        [a_destination("v1", 100)],
        [a_destination("v1", 100), a_destination("v2", 0)],
        [a_destination("v2", 0), a_destination("v1", 100)],
        [a_destination("v0", 0), a_destination("v1", 100)],
        [
            a_destination(
                "v1",
                host="reviews.shop.svc.cluster.local",
                headers={"request": {"set": {"a": "b"}}},
            )
        ],
    ]
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A VirtualService with our route among others, all of them with fields we know nothing of."""
    main: Document = {"name": "main", "route": copy.deepcopy(draw(beginnings))} | draw(extras)
    if draw(st.booleans()):
        main["match"] = draw(own_blocks)
    others: list[Document] = draw(st.lists(extras.map(lambda more: {"redirect": {"uri": "/"}} | more), max_size=2))
    others.insert(draw(st.integers(0, len(others))), main)
    document = a_virtual_service(*others, version=draw(st.sampled_from(["v1alpha3", "v1beta1", "v1"])))
    document["spec"] |= draw(st.dictionaries(st.sampled_from(["gateways", "exportTo"]), values))
    return document


cookies = st.none() | st.builds(
    Sticky, st.integers(0, 30), st.integers(0, 9_999).map(lambda cents: Decimal(cents) / 100)
)
splits = st.builds(
    lambda share, matches, mirror, sticky: replace(
        Split.between("v1", "v2", share), matches=tuple(matches), mirror=mirror, sticky=sticky
    ),
    shares,
    st.lists(ours, max_size=3),
    mirrors,
    cookies,
)


def applied(document: Document, order: RouteOrder) -> Document:
    result = edit(document, [order])
    assert not isinstance(result, Refused)
    return result


def writable(document: Document, split: Split) -> RouteOrder:
    """An order whose matches the route can ask for on top of its own."""
    order = an_order(document, split)
    assume(not isinstance(edit(document, [order]), Refused))
    return order


def without_ours(document: Document) -> str:
    rest: dict[str, Any] = copy.deepcopy(document)
    rest["spec"]["http"] = [each for each in rest["spec"]["http"] if not release_of(each)]
    for route in rest["spec"]["http"]:
        for field in ("route", "mirror", "mirrorPercentage"):
            route.pop(field, None)
    rest["metadata"].pop("annotations", None)
    return canonical(rest)


@given(documents(), splits)
def test_what_was_written_is_read_and_the_rest_is_untouched(document: Document, split: Split) -> None:
    order = writable(document, split)
    written = applied(document, order)
    assert read_split(written, order.route, order.target, order.original) == split
    assert without_ours(written) == without_ours(document)


@given(documents(), splits)
def test_writing_twice_is_writing_once(document: Document, split: Split) -> None:
    order = writable(document, split)
    written = applied(document, order)
    assert applied(written, order) == written


@given(documents(), st.lists(splits, min_size=1, max_size=4))
def test_putting_back_gives_the_document_as_it_was(document: Document, stages: list[Split]) -> None:
    order = an_order(document)
    current = document
    for split in stages:
        current = applied(current, writable(document, split))
    restored = applied(current, back(order))
    assert canonical(restored) == canonical(document)


@given(documents(), st.sampled_from(StrategyName), st.integers(0, 9), st.booleans(), st.booleans())
def test_wherever_a_plan_breaks_off_the_baselines_fields_come_back(
    document: Document, strategy: StrategyName, stages: int, breaks_off: bool, is_sticky: bool
) -> None:
    given_matches = () if strategy is StrategyName.SHADOW else (Match("header:x-beta", "v2", exact="1"),)
    mirror = Decimal(20) if strategy is StrategyName.CANARY else None
    spec = a_spec(strategy, matches=given_matches, mirror=mirror, side_effects=SideEffects.NONE, is_sticky=is_sticky)
    walked = [stage.splits["reviews"] for stage in planned(spec).stages]
    current, order = document, an_order(document)
    for split in walked[:stages] if breaks_off else walked:
        current = applied(current, writable(document, split))
    if breaks_off:
        assert canonical(applied(current, back(order))) == canonical(document)
        return
    final = read_split(current, order.route, order.target, order.original)
    assert final == walked[-1]
    assert not any(release_of(each) for each in current["spec"]["http"])


@given(documents(), st.lists(splits, min_size=2, max_size=4))
def test_a_stage_says_the_same_whatever_stood_there_before(document: Document, stages: list[Split]) -> None:
    current = document
    for split in stages:
        current = applied(current, writable(document, split))
    alone = applied(document, writable(document, stages[-1]))
    assert without_ours(current) == without_ours(alone)
    order = an_order(document)
    assert read_split(current, order.route, order.target, order.original) == stages[-1]


@given(
    documents(),
    splits,
    st.dictionaries(st.sampled_from(["timeout", "mirror", "fault"]), values, min_size=1),
)
def test_a_strangers_edit_between_writing_and_putting_back_survives(
    document: Document, split: Split, edit_of_somebody: dict[str, Any]
) -> None:
    # Whoever puts a mirror in place of ours leaves our percentage beside it: which of both it belongs to is not told.
    assume(split.mirror is None or "mirror" not in edit_of_somebody)
    order = writable(document, split)
    written = applied(document, order)
    expected = copy.deepcopy(document)
    for each in (written, expected):
        main = next(route for route in each["spec"]["http"] if route.get("name") == "main")
        main |= edit_of_somebody
    assert canonical(applied(written, back(order))) == canonical(expected)
