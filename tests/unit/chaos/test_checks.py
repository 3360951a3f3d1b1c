"""Each promise of `tests.chaos` is seen to be broken here, so that a run without a word says something."""

from __future__ import annotations

import copy
import itertools
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from storage.journal import Entry
from strategies.release import Approval, Phase, Release
from tests.builders import NOW, a_release, an_approver
from tests.chaos import mesh_checks, story_checks
from tests.chaos.cluster import Version
from tests.chaos.doors import Call
from tests.chaos.ledger import Act, Ledger, Spell
from tests.chaos.shop import virtual_service

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Document = dict[str, Any]
PATH = "/apis/networking.istio.io/v1/namespaces/shop/virtualservices/reviews"
AT = NOW.timestamp()
BACK = Entry("k", "reviews-1", NOW, "U2", "bob", "RollbackRequested", Phase.OBSERVING, Phase.ROLLING_BACK, 4)


def a_document(share: int, revision: int, marked: str = "reviews-1") -> Document:
    document = virtual_service("reviews", "reviews")
    shares = (("v1", 100 - share), ("v2", share))
    route = [{"destination": {"host": "reviews", "subset": name}, "weight": each} for name, each in shares]
    document["spec"]["http"][1]["route"] = route
    document["metadata"]["resourceVersion"] = str(revision)
    if marked:
        document["metadata"]["annotations"] = {"sluice/release": marked, "sluice/revision": "2"}
    return document


def told(tmp_path: Path, *documents: Document, journal: tuple[Entry, ...] = (), gap: float = 1.0) -> list[str]:
    """What the checker says when the bot wrote all documents but the first, one every `gap` seconds from `NOW` on."""
    versions = [
        Version(AT + n * gap, int(each["metadata"]["resourceVersion"]), each) for n, each in enumerate(documents)
    ]
    calls = [
        Call(
            new.at,
            "r0",
            "PUT",
            PATH,
            {"metadata": {"resourceVersion": str(old.revision)}},
            200,
            new.document or {},
            False,
        )
        for old, new in itertools.pairwise(versions)
    ]
    history = {("virtualservices", "reviews"): versions}
    cluster = SimpleNamespace(history=history)
    world: Any = SimpleNamespace(calls=calls, cluster=cluster, ledger=Ledger(tmp_path / "driver.log"))
    reaches = {"reviews-1": {(0.0, 0.0, 0.0), *((float(n), 0.0, 0.0) for n in (5, 25, 50, 100))}}
    observer: Any = SimpleNamespace(releases={"reviews-1": a_release()}, reaches=reaches, sticky=set())
    return list(mesh_checks.trouble(world, observer, {"reviews-1": list(journal)}))


def edited(document: Document, edit: Callable[[Document], None]) -> Document:
    changed = copy.deepcopy(document)
    edit(changed)
    return changed


def test_a_release_that_keeps_to_its_plan_is_not_complained_of(tmp_path: Path) -> None:
    documents = [a_document(0, 1, ""), a_document(5, 2), a_document(25, 3), a_document(0, 4, "")]
    assert told(tmp_path, *documents) == []


def test_a_share_of_no_stage_is_told(tmp_path: Path) -> None:
    assert "which is in no stage" in told(tmp_path, a_document(0, 1, ""), a_document(7, 2))[0]


def test_weights_that_do_not_add_up_are_told(tmp_path: Path) -> None:
    def lose(document: Document) -> None:
        document["spec"]["http"][1]["route"][0]["weight"] = 90

    assert "weights are" in told(tmp_path, a_document(0, 1, ""), edited(a_document(5, 2), lose))[0]


def test_more_for_the_candidate_after_its_rollback_is_told(tmp_path: Path) -> None:
    found = told(tmp_path, a_document(5, 1), a_document(0, 2, ""), a_document(25, 3), journal=(BACK,))
    assert "after its rollback was decided reviews-1 gave v2" in found[0]


def test_a_change_of_somebody_elses_field_is_told(tmp_path: Path) -> None:
    def intrude(document: Document) -> None:
        document["spec"]["http"][0]["timeout"] = "9s"

    assert "changed what is not ours" in told(tmp_path, a_document(0, 1, ""), edited(a_document(5, 2), intrude))[0]


def test_a_rollback_that_takes_long_though_nothing_was_wrong_is_told(tmp_path: Path) -> None:
    assert (
        "took 9.0 s in shop/reviews"
        in told(tmp_path, a_document(5, 1), a_document(0, 2, ""), journal=(BACK,), gap=9.0)[0]
    )
    assert told(tmp_path, a_document(5, 1), a_document(0, 2, ""), journal=(BACK,), gap=2.0) == []


def left(document: Document, phase: Phase) -> list[str]:
    """What the checker says of an object that the bot wrote last, at the end of a release that ended so."""
    call = Call(AT, "r0", "PUT", PATH, {"metadata": {"resourceVersion": "1"}}, 200, document, False)
    history = {("virtualservices", "reviews"): [Version(AT, 2, document)]}
    world: Any = SimpleNamespace(calls=[call], cluster=SimpleNamespace(history=history))
    ended = replace(a_release(), phase=phase, stage=1)
    observer: Any = SimpleNamespace(releases={"reviews-1": ended})
    return list(mesh_checks.standing(world, observer))


def test_an_object_that_does_not_agree_with_the_end_of_its_release_is_told() -> None:
    assert left(a_document(0, 2, ""), Phase.ROLLED_BACK) == []
    assert left(a_document(100, 2), Phase.COMPLETED) == []
    assert "gives v2 (25, 0.0, 0.0)" in left(a_document(25, 2), Phase.COMPLETED)[0]
    assert "still carries what reviews-1 added" in left(a_document(0, 2), Phase.ROLLED_BACK)[0]


def an_entry(event: str, before: Phase, after: Phase, who: str = "U0BOB") -> Entry:
    return Entry(f"{event}{before}{after}", "reviews-1", NOW, who, who, event, before, after, 3)


def story(tmp_path: Path, release: Release, *entries: Entry, acts: tuple[Act, ...] = ()) -> list[str]:
    return list(story_checks.told(release, list(entries), Ledger(tmp_path / "driver.log", list(acts))))


def test_a_journal_with_a_gap_is_told(tmp_path: Path) -> None:
    first = an_entry("LookTaken", Phase.SHIFTING, Phase.OBSERVING)
    late = an_entry("RollbackRequested", Phase.PAUSED, Phase.ROLLING_BACK)
    assert story(tmp_path, a_release(), first, an_entry("WakeReached", Phase.OBSERVING, Phase.SOAKING)) == []
    assert "had ended in observing" in story(tmp_path, a_release(), first, late)[0]


def test_an_approval_by_who_may_not_or_by_whoever_asked_is_told(tmp_path: Path) -> None:
    stranger = an_entry("ApprovalGiven", Phase.OBSERVING, Phase.SHIFTING, "U0MALLORY")
    assert "may not" in story(tmp_path, a_release(), stranger)[0]
    own = replace(a_release(), requester=an_approver("U0BOB"))
    assert "their own" in story(tmp_path, own, an_entry("ApprovalGiven", Phase.OBSERVING, Phase.SHIFTING))[0]


def test_a_yes_that_nobody_gave_or_that_counts_twice_is_told(tmp_path: Path) -> None:
    given = Approval(an_approver("U0BOB"), 0, 3, NOW)
    click = Act(AT, "bob", "release_approve", '{"r":"reviews-1","s":0,"v":3}', True)
    release = replace(a_release(), approvals=(given,))
    assert story(tmp_path, release, acts=(click,)) == []
    assert "nobody gave" in story(tmp_path, release)[0]
    again = replace(given, at=NOW + timedelta(seconds=1))
    assert "said yes 2 times" in story(tmp_path, replace(release, approvals=(given, again)), acts=(click,))[0]


def test_a_release_in_between_is_told() -> None:
    nobody: Any = None
    assert "it is shifting" in story_checks.unsettled(nobody, replace(a_release(), phase=Phase.SHIFTING))
    assert story_checks.unsettled(nobody, replace(a_release(), phase=Phase.COMPLETED)) == ""


def test_what_is_wrong_elsewhere_excuses_no_way_back(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "driver.log")
    for what in ("r0 prometheus refused", "pods of s2-v1", "deployments s2-v2 deleted"):
        ledger.spells.append(Spell(what, AT))
    assert ledger.is_calm(AT, AT, "s1")
    assert not ledger.is_calm(AT, AT)
    assert not ledger.is_calm(AT, AT, "s2")
    ledger.spells.append(Spell("r0 kubernetes slow", AT, AT + 1))
    assert not ledger.is_calm(AT, AT, "s1")
    assert ledger.is_calm(AT + 2, AT + 3, "s1")
