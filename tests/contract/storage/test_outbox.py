"""The outbox hands out each effect once, in order, and lets a rollback overtake."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from storage.database import Database
from storage.outbox import Job
from strategies.effects import CallOnCall, Effect, Lane, PostStage, RefreshCard, Say, SetCapacity, SetRoute, Urgency
from tests.builders import NOW

LEASE = timedelta(seconds=10)
SECOND = timedelta(seconds=1)
SIZES = SetCapacity("r-1")
SPLIT = SetRoute("r-1", "shop/r")
ROLLBACK = SetRoute("r-1", "shop/r", Urgency.ROLLBACK)
CARD = RefreshCard("r-1")


def put(database: Database, *effects: Effect, at: datetime = NOW, revision: int = 1) -> None:
    with database.transaction() as transaction:
        transaction.outbox.put(effects, at, revision)


def put_for(database: Database, not_before: datetime, *effects: Effect) -> None:
    with database.transaction() as transaction:
        transaction.outbox.put(effects, NOW, 1, not_before)


def claim(database: Database, lane: Lane = Lane.ROUTE, at: datetime = NOW, limit: int = 10) -> list[Job]:
    with database.transaction() as transaction:
        return transaction.outbox.claim(lane, "worker", at, LEASE, limit)


def done(database: Database, job: Job) -> bool:
    with database.transaction() as transaction:
        return transaction.outbox.done(job)


def retry(database: Database, job: Job, at: datetime) -> bool:
    with database.transaction() as transaction:
        return transaction.outbox.retry(job, at, "no answer")


def release_expired(database: Database, at: datetime) -> int:
    with database.transaction() as transaction:
        return transaction.outbox.release_expired(at)


def next_moment(database: Database, lane: Lane = Lane.ROUTE) -> datetime | None:
    with database.reading() as transaction:
        return transaction.outbox.next_moment(lane)


def pending(database: Database, release: str = "r-1") -> list[Effect]:
    with database.reading() as transaction:
        return [job.effect for job in transaction.outbox.pending(release)]


def effects(jobs: Sequence[Job]) -> list[Effect]:
    return [job.effect for job in jobs]


def test_a_job_tells_what_was_queued(database: Database) -> None:
    put(database, SPLIT, revision=3)
    (job,) = claim(database)
    assert (job.release, job.lane, job.effect, job.revision) == ("r-1", Lane.ROUTE, SPLIT, 3)
    assert (job.attempts, job.first_queued_at, job.claimed_by) == (0, NOW, "worker")


def test_what_is_claimed_is_not_claimed_again_and_what_is_done_is_gone(database: Database) -> None:
    put(database, SPLIT)
    (job,) = claim(database)
    assert claim(database) == []
    assert done(database, job)
    assert not done(database, job)
    assert pending(database) == []


def test_a_lane_is_worked_in_order_per_release(database: Database) -> None:
    put(database, SIZES, SPLIT, SetRoute("q-1", "shop/q"))
    first = claim(database)
    assert effects(first) == [SIZES, SetRoute("q-1", "shop/q")]
    assert claim(database) == []
    done(database, first[0])
    assert effects(claim(database)) == [SPLIT]


def test_lanes_do_not_wait_for_each_other(database: Database) -> None:
    put(database, SIZES, CARD)
    claim(database)
    assert effects(claim(database, Lane.CHAT)) == [CARD]


def test_the_limit_is_kept(database: Database) -> None:
    put(database, *(SetRoute(f"r-{n}", "shop/r") for n in range(5)))
    assert [len(claim(database, limit=2)) for _ in range(4)] == [2, 2, 1, 0]


def test_the_most_urgent_goes_first(database: Database) -> None:
    urgencies = [Urgency.PROGRESS, Urgency.ROLLBACK, Urgency.STAGE, Urgency.DECISION]
    put(database, *(RefreshCard(f"r-{n}", urgency) for n, urgency in enumerate(urgencies)))
    claimed = [job.release for job in claim(database, Lane.CHAT)]
    assert claimed == ["r-1", "r-3", "r-2", "r-0"]


def test_what_stands_before_an_urgent_line_hurries_too(database: Database) -> None:
    put(database, *(RefreshCard(f"q-{n}", Urgency.STAGE) for n in range(3)))
    put(database, CARD, at=NOW)
    put(database, CallOnCall("r-1", "harm", "help"), at=NOW)
    (first,) = claim(database, Lane.CHAT, limit=1)
    assert first.effect == CARD
    done(database, first)
    assert effects(claim(database, Lane.CHAT, limit=1)) == [CallOnCall("r-1", "harm", "help")]


def test_what_stands_behind_an_urgent_effect_does_not_hurry(database: Database) -> None:
    put(database, CARD, PostStage("r-1", 0))
    put(database, RefreshCard("r-1", Urgency.ROLLBACK), RefreshCard("q-1", Urgency.DECISION))
    (first,) = claim(database, Lane.CHAT, limit=1)
    assert first.effect == RefreshCard("r-1", Urgency.ROLLBACK)
    done(database, first)
    assert effects(claim(database, Lane.CHAT)) == [RefreshCard("q-1", Urgency.DECISION), PostStage("r-1", 0)]


def test_a_newer_effect_takes_the_place_of_a_queued_one(database: Database) -> None:
    put(database, CARD, PostStage("r-1", 0))
    put(database, RefreshCard("r-1", Urgency.DECISION), revision=2)
    assert pending(database) == [RefreshCard("r-1", Urgency.DECISION), PostStage("r-1", 0)]


def test_a_less_urgent_newcomer_does_not_slow_down_what_it_replaces(database: Database) -> None:
    put(database, RefreshCard("r-1", Urgency.DECISION))
    put(database, RefreshCard("q-1", Urgency.STAGE))
    put(database, RefreshCard("r-1", Urgency.PROGRESS))
    assert [job.release for job in claim(database, Lane.CHAT)] == ["r-1", "q-1"]


def test_a_claimed_effect_is_not_replaced(database: Database) -> None:
    put(database, CARD)
    (running,) = claim(database, Lane.CHAT)
    put(database, CARD, revision=2)
    assert claim(database, Lane.CHAT) == []
    done(database, running)
    (newer,) = claim(database, Lane.CHAT)
    assert newer.revision == 2


def test_lines_of_their_own_are_all_said(database: Database) -> None:
    lines = [Say("r-1", f"line {n}", "text") for n in range(3)]
    put(database, *lines)
    assert pending(database) == lines


def test_a_rollback_replaces_a_queued_split_of_its_object(database: Database) -> None:
    put(database, SPLIT)
    put(database, ROLLBACK, revision=2)
    assert pending(database) == [ROLLBACK]


def test_a_rollback_overtakes_whatever_its_release_has_open(database: Database) -> None:
    put(database, SIZES)
    claim(database)
    put(database, SetRoute("r-1", "shop/other"), revision=2)
    put(database, ROLLBACK, revision=3)
    assert effects(claim(database)) == [ROLLBACK]


def test_a_rollback_that_takes_a_splits_place_overtakes_from_there(database: Database) -> None:
    put(database, SIZES, SPLIT)
    claim(database)
    put(database, ROLLBACK, revision=2)
    assert effects(claim(database)) == [ROLLBACK]


def test_a_call_for_help_waits_for_no_message_that_cannot_be_sent(database: Database) -> None:
    call = CallOnCall("r-1", "stuck:3", "r-1 is stuck")
    put(database, PostStage("r-1", 0))
    [job] = claim(database, Lane.CHAT)
    assert retry(database, job, NOW + 60 * SECOND)
    put(database, call, revision=2)
    assert effects(claim(database, Lane.CHAT)) == [call]


def test_who_claims_rollbacks_alone_sees_nothing_else(database: Database) -> None:
    put(database, SPLIT)
    with database.transaction() as transaction:
        assert transaction.outbox.next_moment(Lane.ROUTE, Urgency.ROLLBACK) is None
        assert not transaction.outbox.claim(Lane.ROUTE, "worker", NOW, LEASE, 10, least=Urgency.ROLLBACK)
    put(database, ROLLBACK, revision=2)
    with database.transaction() as transaction:
        assert transaction.outbox.next_moment(Lane.ROUTE, Urgency.ROLLBACK) == NOW
        assert len(transaction.outbox.claim(Lane.ROUTE, "worker", NOW, LEASE, 10, least=Urgency.ROLLBACK)) == 1


def test_the_objects_of_a_rollback_do_not_wait_for_each_other(database: Database) -> None:
    writes = [SetRoute("r-1", f"shop/{name}", Urgency.ROLLBACK) for name in ("a", "b")]
    put(database, *writes)
    assert effects(claim(database)) == writes


def test_one_object_is_not_rolled_back_twice_at_once(database: Database) -> None:
    put(database, ROLLBACK)
    claim(database)
    put(database, ROLLBACK, revision=2)
    assert claim(database) == []


def test_a_rollback_goes_before_other_releases_splits(database: Database) -> None:
    put(database, *(SetRoute(f"q-{n}", "shop/q") for n in range(3)))
    put(database, ROLLBACK)
    assert effects(claim(database, limit=1)) == [ROLLBACK]


def test_a_retried_job_waits_and_counts_its_attempts(database: Database) -> None:
    put(database, SPLIT)
    (job,) = claim(database)
    assert retry(database, job, NOW + SECOND)
    assert claim(database) == []
    (again,) = claim(database, at=NOW + SECOND)
    assert (again.effect, again.attempts, again.first_queued_at) == (SPLIT, 1, NOW)


def test_what_comes_later_waits_for_a_retry(database: Database) -> None:
    put(database, SIZES, SPLIT)
    (job,) = claim(database)
    retry(database, job, NOW + SECOND)
    assert claim(database) == []
    assert next_moment(database) == NOW + SECOND


def test_the_same_revision_keeps_the_backoff_of_what_it_replaces(database: Database) -> None:
    put(database, CARD)
    (job,) = claim(database, Lane.CHAT)
    retry(database, job, NOW + SECOND)
    put(database, CARD)
    assert claim(database, Lane.CHAT) == []
    (again,) = claim(database, Lane.CHAT, at=NOW + SECOND)
    assert again.attempts == 1


def test_a_newer_revision_starts_afresh(database: Database) -> None:
    put(database, CARD)
    (job,) = claim(database, Lane.CHAT)
    retry(database, job, NOW + timedelta(hours=1))
    put(database, CARD, at=NOW + SECOND, revision=2)
    (fresh,) = claim(database, Lane.CHAT, at=NOW + SECOND)
    assert (fresh.attempts, fresh.first_queued_at) == (0, NOW + SECOND)


def test_a_rollback_does_not_wait_for_the_backoff_of_the_split_it_replaces(database: Database) -> None:
    put(database, SPLIT)
    (job,) = claim(database)
    retry(database, job, NOW + timedelta(hours=1))
    put(database, ROLLBACK)
    assert effects(claim(database)) == [ROLLBACK]


def test_a_retry_gives_way_to_the_newer_one_of_its_subject(database: Database) -> None:
    put(database, CARD)
    (job,) = claim(database, Lane.CHAT)
    put(database, RefreshCard("r-1", Urgency.STAGE))
    assert retry(database, job, NOW + SECOND)
    assert pending(database) == [RefreshCard("r-1", Urgency.STAGE)]
    (newer,) = claim(database, Lane.CHAT, at=NOW + SECOND)
    assert newer.attempts == 1


def test_a_split_that_failed_does_not_delay_the_rollback_queued_meanwhile(database: Database) -> None:
    put(database, SPLIT)
    (job,) = claim(database)
    put(database, ROLLBACK)
    retry(database, job, NOW + timedelta(hours=1))
    assert effects(claim(database)) == [ROLLBACK]


def test_a_failed_job_blocks_nobody(database: Database) -> None:
    put(database, SIZES, SPLIT)
    (job,) = claim(database)
    with database.transaction() as transaction:
        assert transaction.outbox.fail(job, "forbidden")
    assert effects(claim(database)) == [SPLIT]


def test_failed_jobs_are_forgotten_when_they_are_old(database: Database) -> None:
    put(database, SPLIT)
    (job,) = claim(database)
    with database.transaction() as transaction:
        transaction.outbox.fail(job, "forbidden")
        assert transaction.outbox.prune(NOW) == 0
        assert transaction.outbox.prune(NOW + SECOND) == 1


def test_a_job_whose_worker_died_is_queued_again(database: Database) -> None:
    put(database, SPLIT)
    claim(database)
    assert release_expired(database, NOW + LEASE - SECOND) == 0
    assert release_expired(database, NOW + LEASE) == 1
    (again,) = claim(database, at=NOW + LEASE)
    assert (again.effect, again.attempts) == (SPLIT, 1)


def test_a_stalled_worker_cannot_finish_what_somebody_else_has(database: Database) -> None:
    put(database, SPLIT)
    (stalled,) = claim(database)
    release_expired(database, NOW + LEASE)
    (present,) = claim(database, at=NOW + LEASE)
    assert not done(database, stalled)
    assert not retry(database, stalled, NOW)
    with database.transaction() as transaction:
        assert not transaction.outbox.fail(stalled, "late")
    assert done(database, present)


def test_a_stalled_worker_cannot_finish_a_later_effect_of_the_same_subject(database: Database) -> None:
    put(database, SPLIT)
    (stalled,) = claim(database)
    release_expired(database, NOW + LEASE)
    (present,) = claim(database, at=NOW + LEASE)
    done(database, present)
    put(database, SPLIT)
    (newest,) = claim(database)
    assert not done(database, stalled)
    assert done(database, newest)


def test_a_job_planned_for_later_stands_in_nobodys_way_before_its_time(database: Database) -> None:
    put_for(database, NOW + SECOND, CallOnCall("r-1", "slow", "help"))
    put(database, CARD)
    assert effects(claim(database, Lane.CHAT)) == [CARD]
    assert next_moment(database, Lane.CHAT) == NOW + SECOND


def test_what_is_planned_for_later_comes_at_once_when_asked_for_now(database: Database) -> None:
    put_for(database, NOW + SECOND, CARD)
    put(database, CARD)
    assert effects(claim(database, Lane.CHAT)) == [CARD]


def test_a_job_that_waits_for_another_is_not_due(database: Database) -> None:
    put(database, SIZES, SPLIT)
    assert next_moment(database) == NOW
    claim(database)
    assert next_moment(database) == NOW + LEASE
    assert next_moment(database, Lane.CHAT) is None


def test_eight_workers_never_get_one_job_twice(database: Database) -> None:
    count = 60
    put(database, *(SetRoute(f"r-{n}", "shop/r") for n in range(count)))

    def work(n: int) -> list[int]:
        mine: list[int] = []
        while jobs := claim(database, limit=1 + n % 3):
            mine += [job.id for job in jobs if done(database, job)]
        return mine

    with ThreadPoolExecutor(8) as threads:
        ids = [id for mine in threads.map(work, range(8)) for id in mine]
    # An empty claim may mean "locked by another for a moment", so what is left is taken here.
    ids += [job.id for job in claim(database, limit=count)]
    assert len(ids) == count
    assert len(set(ids)) == count


def test_order_holds_while_eight_workers_race(database: Database) -> None:
    lines = [Say(f"r-{release}", f"{n}", "text") for n in range(6) for release in range(4)]
    put(database, *lines)
    seen: list[Say] = []

    def work(_: int) -> None:
        while jobs := claim(database, Lane.CHAT, limit=2):
            for job in jobs:
                assert isinstance(job.effect, Say)
                seen.append(job.effect)
                done(database, job)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    work(0)
    for release in range(4):
        assert [say.line for say in seen if say.release == f"r-{release}"] == [str(n) for n in range(6)]
