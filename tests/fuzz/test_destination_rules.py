"""The editor of DestinationRules on rules of the CRD's own schema."""

from datetime import UTC, datetime

from hypothesis import given

from bot.mesh.destination_rule import (
    ADDED,
    add_subset,
    free_name,
    hand_over,
    ours,
    remove_added,
    remove_subset,
    subset_named,
    subsets,
)
from bot.mesh.documents import canonical
from tests.fuzz import effort
from tests.fuzz.mesh_documents import rules
from tests.mesh_documents import Document

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def with_v2(rule: Document, release: str = "reviews-1") -> Document:
    return add_subset(rule, "v2", {"version": "v2"}, "v1", (release, AT))


def outside(rule: Document) -> str:
    noted = {name: text for name, text in rule["metadata"].get("annotations", {}).items() if name != ADDED}
    spec = {name: value for name, value in rule["spec"].items() if name != "subsets"}
    return canonical([rule["apiVersion"], rule["metadata"] | {"annotations": noted}, spec])


@effort.documents
@given(rules())
def test_a_subset_is_added_behind_the_others_and_nothing_else_changes(rule: Document) -> None:
    before = canonical(rule)
    edited = with_v2(rule)
    assert canonical(rule) == before
    assert outside(edited) == outside(rule)
    assert canonical(subsets(edited)[:-1]) == canonical(subsets(rule))
    found = subset_named([edited], "v2")
    assert found is not None
    assert found[1]["labels"] == {"version": "v2"}


@effort.documents
@given(rules())
def test_the_added_subset_has_the_traffic_policy_of_the_one_beside_it(rule: Document) -> None:
    beside, added = subset_named([rule], "v1"), subset_named([with_v2(rule)], "v2")
    assert beside is not None
    assert added is not None
    assert canonical(added[1].get("trafficPolicy")) == canonical(beside[1].get("trafficPolicy"))


@effort.documents
@given(rules())
def test_taking_back_what_was_added_gives_the_very_same_rule(rule: Document) -> None:
    restored = remove_added(with_v2(rule), "reviews-1")
    assert restored is not None
    assert canonical(restored) == canonical(rule)
    assert remove_added(restored, "reviews-1") is None


@effort.documents
@given(rules())
def test_a_subset_that_was_handed_over_belongs_to_the_later_release(rule: Document) -> None:
    handed = hand_over(with_v2(rule), "v2", "reviews-2")
    assert handed is not None
    assert remove_added(handed, "reviews-1") is None
    assert canonical(remove_added(handed, "reviews-2")) == canonical(rule)


@effort.documents
@given(rules())
def test_a_subset_that_somebody_edited_since_is_left_to_them(rule: Document) -> None:
    edited = with_v2(rule)
    subsets(edited)[-1]["labels"]["tier"] = "gold"
    restored = remove_added(edited, "reviews-1")
    assert restored is not None
    assert canonical(subsets(restored)) == canonical(subsets(edited))
    assert not ours(restored)


@effort.documents
@given(rules())
def test_removing_a_subset_removes_that_one_alone(rule: Document) -> None:
    edited = remove_subset(rule, "v1")
    assert edited is not None
    assert outside(edited) == outside(rule)
    assert canonical(subsets(edited)) == canonical([each for each in subsets(rule) if each["name"] != "v1"])
    assert remove_subset(edited, "v1") is None


@effort.documents
@given(rules())
def test_a_free_name_is_taken_by_nobody(rule: Document) -> None:
    name = free_name([rule], "v1")
    assert subset_named([rule], name) is None
    assert 0 < len(name) <= 63
