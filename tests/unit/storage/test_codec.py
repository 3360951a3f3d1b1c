"""What is stored is read back equal, today and by the next version."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.codec import Codec
from storage.errors import Unreadable
from strategies.effects import Effect, SetRoute, Urgency
from strategies.events import Event, LookTaken, ReleaseRequested
from strategies.plan import ApprovalGate, MetricGate
from strategies.release import Actor, Approval, Drift, Phase, Release, Role, StandingApproval
from strategies.routing import Match, Mirror, Split
from strategies.verdicts import Arm, Outcome, Reading, Verdict
from tests.builders import NOW, a_plan, a_reading, a_release, a_stage, a_target, a_verdict, an_actor

RELEASE: Codec[Release] = Codec(Release)
EFFECT: Codec[Effect] = Codec(Effect)
EVENT: Codec[Event] = Codec(Event)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Leaf:
    name: str
    size: Decimal


@dataclass(frozen=True)
class Thorn:
    sharp: bool


@dataclass(frozen=True)
class Tree:
    """Every kind of field that a stored class may have."""

    label: str
    count: int
    height: float
    ripe: bool
    at: datetime
    age: timedelta
    colour: Colour
    leaf: Leaf
    part: Leaf | Thorn
    later: datetime | None
    leaves: tuple[Leaf, ...]
    parts: tuple[Leaf | Thorn, ...]
    colours: frozenset[Colour]
    sizes: Mapping[str, Decimal]
    buckets: Mapping[float, float]
    by_colour: Mapping[Colour, Leaf]
    maybe: Mapping[str, int] | None


TREE: Codec[Tree] = Codec(Tree)
text = st.text(st.characters(codec=None), max_size=20)
instants = st.datetimes(timezones=st.just(UTC) | st.just(timezone(timedelta(hours=-9, minutes=-30))))
ages = st.timedeltas(timedelta(days=-30000), timedelta(days=30000))
decimals = st.decimals(allow_nan=False, allow_infinity=False)
numbers = st.floats(allow_nan=False)
leaves = st.builds(Leaf, text, decimals)
parts = leaves | st.builds(Thorn, st.booleans())
trees = st.builds(
    Tree,
    label=text,
    count=st.integers(),
    height=numbers,
    ripe=st.booleans(),
    at=instants,
    age=ages,
    colour=st.sampled_from(Colour),
    leaf=leaves,
    part=parts,
    later=st.none() | instants,
    leaves=st.lists(leaves, max_size=3).map(tuple),
    parts=st.lists(parts, max_size=3).map(tuple),
    colours=st.frozensets(st.sampled_from(Colour)),
    sizes=st.dictionaries(text, decimals, max_size=3),
    buckets=st.dictionaries(numbers, numbers, max_size=3),
    by_colour=st.dictionaries(st.sampled_from(Colour), leaves),
    maybe=st.none() | st.dictionaries(text, st.integers(), max_size=3),
)


@given(trees)
def test_any_value_is_read_back_equal(tree: Tree) -> None:
    assert TREE.loads(TREE.dumps(tree)) == tree


@given(trees)
def test_a_stored_value_is_plain_json_that_any_database_takes(tree: Tree) -> None:
    stored = TREE.dumps(tree)
    assert stored.isascii()
    assert "\0" not in stored
    json.loads(stored, parse_constant=pytest.fail)


@given(trees)
def test_equal_values_are_equal_texts(tree: Tree) -> None:
    assert TREE.dumps(TREE.loads(TREE.dumps(tree))) == TREE.dumps(tree)


def a_full_release() -> Release:
    """Every field set."""
    match = Match("header:x-beta", "v2", exact="1")
    split = Split({"v1": Decimal("99.75"), "v2": Decimal("0.25")}, (match,), Mirror("v2", Decimal("12.5")))
    return a_release(
        targets=(a_target(), a_target("ratings")),
        plan=replace(a_plan(), stages=(a_stage(splits={"reviews": split}), *a_plan().stages)),
        stage=1,
        wake_at=NOW,
        starts_at=NOW,
        not_before=NOW,
        stage_began_at=NOW,
        hold_until=NOW + timedelta(milliseconds=1),
        hold_left=timedelta(seconds=12.5),
        confirmed=frozenset({"shop/reviews", "shop/ratings"}),
        originals={"shop/reviews/http/main": '{"route":[]}'},
        approvals=(Approval(an_actor("U2", Role.APPROVER, Role.OVERRIDE), 0, 3, NOW, "ok", True),),
        standing=StandingApproval(an_actor("U2"), (1, 2), NOW, NOW + timedelta(hours=8), NOW, 3),
        verdicts=(a_verdict(), a_verdict(Outcome.WAIT, missing="412 requests", baseline=None)),
        resume_to=Phase.SHIFTING,
        drift=Drift("shop/reviews", "- 95\n+ 90", "kubectl", split),
    )


def test_a_release_with_everything_in_it_is_read_back_equal() -> None:
    assert RELEASE.loads(RELEASE.dumps(a_full_release())) == a_full_release()


def test_a_reading_with_an_endless_bucket_is_read_back_equal() -> None:
    codec: Codec[Reading] = Codec(Reading)
    assert codec.loads(codec.dumps(a_reading())) == a_reading()
    assert codec.loads(codec.dumps(Reading(NOW, NOW, Arm(), trouble="no scrape"))).baseline == Arm()


@pytest.mark.parametrize("shape", [*get_args(Effect), *get_args(Event), Release, Reading, Verdict])
def test_every_stored_class_is_refused_without_its_fields(shape: type) -> None:
    with pytest.raises(Unreadable, match=fields(shape)[0].name):
        Codec[object](shape).value({})


def test_a_member_of_a_union_is_told_by_its_class_name() -> None:
    effect = SetRoute("reviews-1", "shop/reviews", Urgency.ROLLBACK)
    stored = EFFECT.plain(effect)
    assert stored == {"$": "SetRoute", "release": "reviews-1", "object": "shop/reviews", "urgency": "0-rollback"}
    assert EFFECT.value(stored) == effect


def test_events_are_read_back_equal() -> None:
    asked = ReleaseRequested("reviews-1", "k", an_actor(), (a_target(),), a_plan(), a_release().rules, "C1", NOW)
    look = LookTaken("reviews-1", "k", NOW, 1, (a_verdict(),), "memory", 2)
    assert [EVENT.loads(EVENT.dumps(event)) for event in (asked, look)] == [asked, look]


def test_a_field_of_a_newer_version_is_left_out() -> None:
    stored = RELEASE.plain(a_full_release())
    stored["weather"] = "fair"
    stored["requester"]["shoe_size"] = 43
    assert RELEASE.value(stored) == a_full_release()


def test_a_field_that_an_older_version_did_not_know_takes_its_default() -> None:
    stored = RELEASE.plain(a_release(note="kept", overwrites=True))
    del stored["overwrites"], stored["rules"]["on_harm"]
    assert RELEASE.value(stored) == a_release(note="kept")


def test_a_field_that_became_a_union_later_is_read_as_what_it_was() -> None:
    gate = MetricGate("errors", "ratio")
    untagged = Codec[MetricGate](MetricGate).plain(gate)
    assert Codec[object](MetricGate | ApprovalGate).value(untagged) == gate


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"phase": "dreaming"}, "dreaming"),
        ({"created_at": "yesterday"}, "yesterday"),
        ({"rules": None}, "NoneType"),
        ({"plan": {"strategy": "canary", "stages": []}}, "at least one stage"),
        ({"requester": {"name": "Zoë"}}, "Actor lacks id"),
    ],
)
def test_what_cannot_be_built_is_unreadable(change: dict[str, object], reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        RELEASE.value({**RELEASE.plain(a_release()), **change})


@pytest.mark.parametrize("document", ["", "{", "[]", "null", "7", '{"$": "Release"}', '{"id": 1}'])
def test_what_is_no_release_is_unreadable(document: str) -> None:
    with pytest.raises(Unreadable, match="Release"):
        RELEASE.loads(document)


def test_an_effect_that_nobody_knows_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="FlipMirror"):
        EFFECT.loads('{"$": "FlipMirror", "release": "reviews-1"}')


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a zone"):
        RELEASE.dumps(a_release(wake_at=datetime(2026, 3, 2)))


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="no rule to store"):
        Codec[object](complex).plain(1)
    with pytest.raises(TypeError, match="dataclasses only"):
        Codec[object](int | str).plain(1)
    with pytest.raises(TypeError, match="no rule to store"):
        Codec[object](list[int]).plain([1])


def test_an_actor_is_stored_with_sorted_roles() -> None:
    stored = Codec[Actor](Actor).plain(an_actor("U1", Role.RELEASER, Role.APPROVER))
    assert stored["roles"] == ["approver", "releaser"]
