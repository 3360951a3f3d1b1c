"""One door for whoever asks on whatever surface: an answer or a refusal, from the caches alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.desk import LISTED
from bot.errors import Transient
from bot.intents import Defaults
from bot.requests import (
    ApproveRequest,
    ConfirmNeeded,
    DriftRequest,
    HelpRequest,
    Listed,
    ListRequest,
    OverrideRequest,
    PauseRequest,
    Planned,
    Preflighted,
    PreflightRequest,
    ResumeRequest,
    RollbackRequest,
    Said,
    ScheduleRequest,
    Shown,
    StartRequest,
    StatusRequest,
)
from storage.errors import DatabaseDown
from storage.releases import Decoded
from strategies.guards import State
from strategies.plan import StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.release import Phase, Release, Role
from tests.mesh_documents import a_deployment
from tests.unit.bot.office import PROFILE, START, Office
from tests.unit.core.events_of import ALICE, BOB, CAROL, MALLORY
from tests.unit.preflight.days import a_course


def test_a_start_begins_a_release_by_its_profile(office: Office) -> None:
    answer = office.ask(START)
    assert answer == Said("reviews-1 is on its way: v1 → v2.", "reviews-1")
    release = office.house.stored("reviews-1")
    assert (release.channel, release.rules.approvers) == ("C7", frozenset({"U2"}))
    assert release.plan.stages[0].hold == timedelta(minutes=5)


def test_the_request_speaks_louder_than_the_profile(office: Office) -> None:
    office.ask(replace(START, hold=timedelta(minutes=1)))
    assert office.house.stored("reviews-1").plan.stages[0].hold == timedelta(minutes=1)


def test_a_release_that_could_ask_nobody_is_not_started(office: Office) -> None:
    (office.folder / "reviews.yaml").unlink()
    office.desk._defaults = Defaults("", timedelta(seconds=15))
    refused = office.refused(START)
    assert refused.reason_code is ReasonCode.BAD_INPUT
    assert "SLUICE_SLACK_CHANNEL" in refused.text
    assert office.house.engine.active() == ()


def test_a_route_with_a_mirror_of_its_own_refuses_a_shadow_before_anything_begins(office: Office) -> None:
    theirs = {"mirror": {"host": "elsewhere"}}
    office.mesh.edit("VirtualService", "shop/reviews", lambda document: document["spec"]["http"][0].update(theirs))
    with (office.folder / "reviews.yaml").open("a", encoding="utf-8") as profile:
        profile.write("side_effects: isolated\n")
    refused = office.refused(replace(START, strategy=StrategyName.SHADOW))
    assert refused.reason_code is ReasonCode.FOREIGN_MIRROR
    assert office.house.engine.active() == ()
    assert isinstance(office.ask(replace(START, dry=True)), Planned)


def test_a_database_that_is_down_is_said_in_a_sentence(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def down() -> None:
        raise DatabaseDown("locked")

    monkeypatch.setattr(office.house.database, "reading", down)
    with pytest.raises(Transient, match="The database does not answer: locked"):
        office.ask(RollbackRequest("reviews-1"))


def test_a_service_without_a_profile_works_with_defaults(office: Office) -> None:
    (office.folder / "reviews.yaml").unlink()
    office.ask(START)
    assert office.house.stored("reviews-1").channel == "C1"


def test_a_broken_profile_is_not_replaced_by_defaults(office: Office) -> None:
    (office.folder / "reviews.yaml").unlink()
    (office.folder / "new.yaml").write_text(f"{PROFILE}quorum: none\n", encoding="utf-8")
    refused = office.refused(START)
    assert refused.reason_code is ReasonCode.BAD_INPUT
    assert "quorum" in refused.text


def test_a_dry_start_shows_the_plan_and_begins_nothing(office: Office) -> None:
    answer = office.ask(replace(START, dry=True))
    assert isinstance(answer, Planned)
    assert answer.diff == "diff of reviews"
    ends = [end - office.house.clock.now() for end in answer.ends]
    assert ends == [timedelta(minutes=5 * n) for n in (1, 2, 3, 4)]
    assert office.house.engine.active() == ()


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (StartRequest("reveiws", "v2"), ReasonCode.UNKNOWN_SERVICE),
        (StartRequest("reviews", "v22"), ReasonCode.UNKNOWN_VERSION),
        (replace(START, steps=()), ReasonCode.BAD_STEPS),
    ],
)
def test_what_cannot_be_released_is_refused_by_name(office: Office, request_: StartRequest, code: ReasonCode) -> None:
    assert office.refused(request_).reason_code is code
    assert office.house.engine.active() == ()


def test_a_second_start_names_the_release_that_runs(office: Office) -> None:
    office.ask(START)
    refused = office.refused(START)
    assert refused.reason_code is ReasonCode.ALREADY_RELEASING
    assert "reviews-1" in refused.text


def test_a_repeated_key_does_nothing_twice(office: Office) -> None:
    office.desk.answer(START, ALICE, "same")
    office.desk.answer(START, ALICE, "same")
    assert [release.id for release in office.house.engine.active()] == ["reviews-1"]


def test_a_stranger_starts_and_steers_nothing(office: Office) -> None:
    assert office.refused(START, MALLORY).reason_code is ReasonCode.NOT_ALLOWED
    office.ask(START)
    assert office.refused(PauseRequest("reviews"), MALLORY).reason_code is ReasonCode.NOT_ALLOWED


def test_an_approval_against_missing_evidence_asks_for_a_confirm_that_names_it(office: Office) -> None:
    release = office.house.observed()
    answer = office.ask(ApproveRequest(release.id), BOB)
    assert isinstance(answer, ConfirmNeeded)
    assert answer.missing == "the hold has 10 min 0 s left"
    confirmed = ApproveRequest(release.id, revision=answer.release.revision, acknowledged=True)
    assert office.ask(confirmed, BOB) == Said("Approved: v2 gets 25 %.", release.id)


def test_a_refusal_that_no_confirm_cures_stays_a_refusal(office: Office) -> None:
    release = office.house.observed()
    assert office.refused(ApproveRequest(release.id), MALLORY).reason_code is ReasonCode.NOT_APPROVER


def test_a_release_is_steered_by_its_service_too(office: Office) -> None:
    office.house.observed()
    assert office.ask(PauseRequest("reviews", "lunch")) == Said("reviews-1 is paused.", "reviews-1")
    assert office.ask(ResumeRequest("reviews")) == Said("reviews-1 goes on.", "reviews-1")
    assert office.ask(RollbackRequest("reviews"), CAROL) == Said("Rolling back reviews to v1.", "reviews-1")


def test_a_completed_release_whose_old_version_was_deleted_is_not_taken_back_into_nothing(office: Office) -> None:
    old = replace(office.house.observed(), phase=Phase.COMPLETED, wake_at=None)
    office.house.save(old)
    office.mesh.set_ready("v1", 0)
    office.mesh.delete("Deployment", "shop/reviews-v1")
    refused = office.refused(RollbackRequest("reviews"), CAROL)
    assert refused.reason_code is ReasonCode.IRREVERSIBLE
    assert refused.text.startswith("reviews-1 cannot go back: Deployment shop/reviews-v1 of v1 was deleted")
    assert office.house.stored(old.id).phase is Phase.COMPLETED
    office.mesh.put(a_deployment("v1", replicas=3))
    assert office.ask(RollbackRequest("reviews"), CAROL) == Said("Rolling back reviews to v1.", "reviews-1")


def test_a_plan_says_that_a_release_before_it_makes_way(office: Office) -> None:
    office.house.save(replace(office.house.observed(), phase=Phase.DECOMMISSIONING, wake_at=None))
    answer = office.desk.plan(START)
    assert isinstance(answer, Planned)
    assert "reviews-1 waits until v1 may go: a start ends that, and v1 is kept." in answer.remarks


def test_an_increase_is_scheduled_for_every_stage_of_its_window(office: Office) -> None:
    release = office.house.observed()
    at = office.house.clock.now() + timedelta(hours=2)
    office.ask(ScheduleRequest(release.id, at, until=at + timedelta(hours=6)), BOB)
    standing = office.house.stored(release.id).standing
    assert standing is not None
    assert (standing.stages, standing.closes) == ((0, 1, 2, 3), at + timedelta(hours=6))


def test_a_lone_time_speaks_of_the_next_increase_for_an_hour(office: Office) -> None:
    release = office.house.observed()
    at = office.house.clock.now() + timedelta(hours=2)
    office.ask(ScheduleRequest(release.id, at), BOB)
    standing = office.house.stored(release.id).standing
    assert standing is not None
    assert (standing.stages, standing.closes) == ((0,), at + timedelta(hours=1))


def test_a_drift_is_resolved_only_where_there_is_one(office: Office) -> None:
    release = office.house.observed()
    assert office.refused(DriftRequest(release.id, "restore")).reason_code is ReasonCode.WRONG_PHASE


@pytest.mark.parametrize("subject", ["reviews-7", "nothing"])
def test_an_unknown_release_is_refused_with_a_way_on(office: Office, subject: str) -> None:
    office.house.observed()
    refused = office.refused(PauseRequest(subject))
    assert refused.reason_code is ReasonCode.UNKNOWN_RELEASE
    assert refused.text.endswith(("Did you mean reviews-1?", "/release list shows the active ones."))


def test_the_status_of_a_release_is_its_card(office: Office) -> None:
    release = office.house.observed()
    answer = office.ask(StatusRequest("reviews"))
    assert isinstance(answer, Shown)
    assert answer.card.release == release


def test_lists_keep_what_was_asked_for(office: Office) -> None:
    office.house.observed()
    office.ask(RollbackRequest("reviews"), CAROL)
    office.ask(replace(START, service="reviews", version="v2"))
    listed = {scope: office.ask(ListRequest(scope)) for scope in ("active", "scheduled", "mine", "all")}
    ids = {scope: [r.id for r in answer.releases] for scope, answer in listed.items() if isinstance(answer, Listed)}
    assert ids == {"active": ["reviews-1"], "scheduled": [], "mine": ["reviews-1"], "all": ["reviews-1"]}


@pytest.mark.parametrize("scope", ["active", "mine", "all"])
def test_a_list_reads_no_more_releases_than_it_shows(
    office: Office, scope: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = [office.house.begin(f"s{n}").id for n in range(LISTED + 5)]
    read: list[str] = []
    decode = Decoded.read

    def noted(self: Decoded, id: str, text: str) -> Release:
        read.append(id)
        return decode(self, id, text)

    monkeypatch.setattr(Decoded, "read", noted)
    answer = office.ask(ListRequest(scope))
    assert isinstance(answer, Listed)
    assert len(answer.releases) == LISTED
    assert read == [release.id for release in answer.releases]
    assert set(read) < set(started)


def test_an_unknown_list_names_the_known_ones(office: Office) -> None:
    refused = office.refused(ListRequest("actve"))
    assert refused.text == "'actve' is none of active, scheduled, mine, all. Did you mean active?"


def test_help_is_answered_without_the_database(office: Office) -> None:
    assert office.ask(HelpRequest()) == Said("")


def test_a_start_for_later_is_scheduled(office: Office) -> None:
    at = office.house.clock.now() + timedelta(hours=1)
    assert office.ask(replace(START, at=at)) == Said("reviews-1 is scheduled.", "reviews-1")
    assert office.house.stored("reviews-1").phase is Phase.SCHEDULED


def test_a_guard_refuses_a_start_and_says_how_to_override_it(office: Office) -> None:
    (office.folder / "reviews.yaml").write_text(f"{PROFILE}stateful: true\n", encoding="utf-8")
    refused = office.refused(START)
    assert refused.reason_code is ReasonCode.STATEFUL
    assert 'adds override=STATEFUL reason="…"' in refused.text
    assert office.house.engine.active() == ()


def test_an_override_with_its_role_starts_all_the_same(office: Office) -> None:
    (office.folder / "reviews.yaml").write_text(f"{PROFILE}stateful: true\n", encoding="utf-8")
    wanted = replace(START, overrides=(ReasonCode.STATEFUL, ReasonCode.BAD_STEPS), override_reason="one pod")
    assert office.refused(wanted).reason_code is ReasonCode.NOT_ALLOWED
    dara = replace(ALICE, roles=ALICE.roles | {Role.OVERRIDE})
    answer = office.ask(wanted, dara)
    assert isinstance(answer, Said)
    assert office.house.stored(answer.release).waived == {ReasonCode.STATEFUL}


def test_a_plan_asks_every_guard_and_ends_with_advice(office: Office) -> None:
    office.metrics.requests_per_hour = 40
    plan = office.desk.plan(replace(START, dry=True))
    assert isinstance(plan, Planned)
    broken = [each.rule for each in plan.checks if each.state is State.BROKEN]
    assert broken == [ReasonCode.TOO_FEW_REQUESTS]
    assert "bout 40 requests an hour" in plan.advice


def test_a_guard_that_does_not_hold_is_overridden_by_the_release_id(office: Office) -> None:
    office.ask(START)
    bob = replace(BOB, roles=BOB.roles | {Role.OVERRIDE})
    assert isinstance(office.ask(OverrideRequest("reviews-1", ReasonCode.NOT_STAGED, "by hand"), bob), Said)
    assert office.house.stored("reviews-1").waived == {ReasonCode.NOT_STAGED}


def test_a_plan_says_what_the_gates_need_and_a_prometheus_that_is_down_delays_nothing(office: Office) -> None:
    office.metrics.courses["errors"] = a_course((0.002, 0.002))
    planned = office.desk.plan(START)
    assert isinstance(planned, Planned)
    assert planned.preflight[0].startswith("At about 72,000 requests an hour every stage can be answered")
    assert office.metrics.pasts == [(timedelta(days=1), 5.0)]
    office.metrics.trouble = "Prometheus is unreachable."
    down = office.desk.plan(START)
    assert isinstance(down, Planned)
    assert down.preflight == ("The time before the release could not be read: Prometheus is unreachable.",)
    assert len(down.plan.stages) == len(planned.plan.stages)


def test_a_preflight_needs_no_version_and_starts_nothing(office: Office) -> None:
    office.metrics.courses["errors"] = a_course((0.002, 0.002))
    seen = office.desk.preflight(PreflightRequest("reviews"))
    assert isinstance(seen, Preflighted)
    assert (seen.asked.target.baseline, seen.asked.target.candidate) == ("v1", "next")
    assert [report.has_passed for report in seen.found.reports] == [True, False]
    assert seen.found.warnings == ("latency_p95: No reading is scripted.",)
    assert office.house.engine.active() == ()


def test_a_preflight_is_refused_as_a_start_would_be(office: Office) -> None:
    strange = office.desk.preflight(PreflightRequest("reviews", "v9"))
    assert isinstance(strange, Refused)
    assert strange.reason_code is ReasonCode.UNKNOWN_VERSION
    (office.folder / "reviews.yaml").write_text("service: reviews\nnamespace: shop\nhold: soon\n")
    broken = office.desk.preflight(PreflightRequest("cart"))
    assert isinstance(broken, Refused)
    assert broken.reason_code is ReasonCode.UNKNOWN_SERVICE
