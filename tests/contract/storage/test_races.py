"""Everybody at once: decisions, workers, retries and sweeps on the same rows lose nothing and never fail."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from storage.database import Database
from storage.errors import AlreadyReleasing, Conflict
from storage.journal import Entry
from storage.outbox import Job
from strategies.effects import Lane, RefreshCard, SetRoute, Urgency
from strategies.release import Phase
from tests.builders import NOW, a_release
from tests.contract.patience import PATIENCE

LEASE = timedelta(seconds=10)
RELEASES = [f"r-{n}" for n in range(3)]


class Workers:
    """Workers that claim, retry every third revision once, and note the newest revision done per release."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.all_put = threading.Event()
        self.newest: dict[str, int] = {}

    def decide(self, release: str) -> None:
        for revision in range(1, 21):
            with self.database.transaction() as transaction:
                transaction.outbox.put([RefreshCard(release)], NOW, revision)

    def work(self, name: str) -> None:
        while True:
            is_last_round = self.all_put.is_set()
            with self.database.transaction() as transaction:
                jobs = transaction.outbox.claim(Lane.CHAT, name, NOW, LEASE, 2)
            for job in jobs:
                self.finish(job)
            if is_last_round and not jobs:
                return

    def finish(self, job: Job) -> None:
        with self.database.transaction() as transaction:
            transaction.outbox.release_expired(NOW)
            if job.attempts == 0 and job.revision % 3 == 0:
                transaction.outbox.retry(job, NOW, "busy")
            elif transaction.outbox.done(job):
                self.newest[job.release] = max(job.revision, self.newest.get(job.release, 0))


def test_the_newest_revision_is_always_done_in_the_end(database: Database) -> None:
    workers = Workers(database)
    with ThreadPoolExecutor(7) as threads:
        deciding = [threads.submit(workers.decide, release) for release in RELEASES]
        working = [threads.submit(workers.work, f"worker {n}") for n in range(4)]
        for each in deciding:
            each.result(2 * PATIENCE)
        workers.all_put.set()
        for each in working:
            each.result(PATIENCE)
    workers.work("the last")
    assert workers.newest == dict.fromkeys(RELEASES, 20)
    with database.reading() as transaction:
        assert [transaction.outbox.pending(release) for release in RELEASES] == [[], [], []]


def test_a_decision_taken_twice_at_once_is_stored_whole_and_once(database: Database) -> None:
    with database.transaction() as transaction:
        transaction.releases.add(a_release())

    def click(n: int) -> bool:
        try:
            with database.transaction() as transaction:
                stored = transaction.releases.get("reviews-1")
                assert stored is not None
                if stored.release.phase is Phase.ROLLING_BACK:
                    return False
                transaction.journal.record(Entry(f"click {n}", "reviews-1", NOW, "U1", "x", "RollbackRequested"))
                transaction.releases.save(a_release(phase=Phase.ROLLING_BACK, revision=n), stored.row_version)
                transaction.outbox.put([SetRoute("reviews-1", "shop/reviews", Urgency.ROLLBACK)], NOW, n)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(click, range(8)))
    winner = won.index(True)
    assert won.count(True) == 1
    with database.reading() as transaction:
        assert [entry.key for entry in transaction.journal.of("reviews-1")] == [f"click {winner}"]
        assert [job.revision for job in transaction.outbox.pending("reviews-1")] == [winner]


def test_a_route_changes_hands_without_a_gap_for_two(database: Database) -> None:
    def run(n: int) -> int:
        release, turns = f"reviews-{n}", 0
        for turn in range(10):
            mine = a_release(f"{release}{turn}")
            try:
                with database.transaction() as transaction:
                    transaction.releases.add(mine)
                    assert transaction.releases.by_route("shop/reviews/http/main") == mine.id
            except AlreadyReleasing:
                continue
            with database.transaction() as transaction:
                transaction.releases.save(a_release(mine.id, phase=Phase.COMPLETED), 1)
            turns += 1
        return turns

    with ThreadPoolExecutor(4) as threads:
        turns = sum(threads.map(run, range(1, 5)))
    with database.reading() as transaction:
        assert transaction.releases.active() == []
        assert len(transaction.releases.recent(100)) == turns > 0
