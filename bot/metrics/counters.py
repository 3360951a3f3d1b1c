"""The difference of two counter snapshots: what happened in one look.

- A counter that fell was reset: its new value is what it counted since, a lower bound.
- A counter that appears starts at zero, if its instance was scraped before or is new. An instance that comes back
  after failed scrapes goes on from its last known value. Where that cannot be told (nothing is remembered from before),
  the instance is left out of this look.
- A counter that vanishes adds nothing. NaN is no data.
- Nothing scraped since the look began is no data: a counter that stands still must not read as a quiet service.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from bot.metrics.queries import CLIENT_LEFT, CONNECTIONS, GRPC_SERVER_ERRORS, REQUESTS
from bot.metrics.snapshots import Answer, Gone, Snapshot, Source
from strategies.release import Target
from strategies.verdicts import Arm

UNKNOWN = "unknown"
RETRIED = "URX"  # Envoy's flag for a request that failed although it was sent again
KEPT_LOOKS = 5_000  # half a day; a pod that is gone for longer does not come back


@dataclass(frozen=True, slots=True)
class Window:
    """Two snapshots of one service, and when its instances were scraped last, by what they report."""

    then: Snapshot
    now: Snapshot
    answers_scraped: Mapping[str, float]
    durations_scraped: Mapping[str, float]
    sees_absence: bool  # True for the source reporter: a caller that was scraped and knows no version called none

    def fresh(self, scraped: Mapping[str, float]) -> frozenset[str]:
        """Instances scraped inside the window whose earlier counters are known."""
        since = self.then.at.timestamp()
        return frozenset(name for name, at in scraped.items() if at > since and self._has_start(name))

    def _has_start(self, instance: str) -> bool:
        return self.then.is_watched or instance in _instances(self.then)


@dataclass(frozen=True, slots=True)
class Measured:
    """Both arms, errors that name no version, and why there is nothing."""

    baseline: Arm = field(default_factory=Arm)
    candidate: Arm = field(default_factory=Arm)
    unattributed: float | None = None
    trouble: str = ""
    live: float | None = None
    resets: int = 0


def mirrored(callers: Window, receivers: Window, target: Target) -> Measured:
    """What both versions received in the window, and what callers got from the candidate all the same.

    Requests that reached nobody are left out: callers alone know them, and they say nothing of copies.
    """
    found = measured(receivers, target)
    live = None
    if callers.sees_absence and not _trouble(callers, target):
        live = _arm(callers, picker(target)(target.candidate)).requests
    return replace(found, unattributed=None, live=live)


def measured(window: Window, target: Target) -> Measured:
    """What both versions did in the window; `trouble` says why nothing was measured."""
    trouble = _trouble(window, target)
    if trouble:
        return Measured(trouble=trouble)
    pick = picker(target)
    arms = [_arm(window, pick(version)) for version in (target.baseline, target.candidate)]
    nobody = pick(UNKNOWN)
    fresh = window.fresh(window.answers_scraped)
    lost = sum(delta for answer, delta in _answers(window, fresh) if nobody(answer.source) and is_error(answer))
    trouble = "" if any(arm.requests is not None for arm in arms) else _nothing(target)
    return Measured(
        arms[0], arms[1], None if math.isnan(lost) else lost, trouble, resets=len(_restarted(window, fresh))
    )


def remembered(then: Snapshot | None, now: Snapshot) -> Snapshot:
    """`now` as the start of the next look, with the counters of instances that are missing from it."""
    if then is None:
        return now
    here = _instances(now)
    gone = {
        name: Gone(last.counters, last.looks + 1)
        for name, last in then.gone.items()
        if name not in here and last.looks < KEPT_LOOKS
    }
    gone.update({name: Gone(_only(then, name), 1) for name in _instances(then) - here})
    return replace(now, gone=gone, is_watched=True)


def _only(snapshot: Snapshot, instance: str) -> Snapshot:
    answers = {key: value for key, value in snapshot.answers.items() if key.source.instance == instance}
    durations = {key: value for key, value in snapshot.durations.items() if key.instance == instance}
    theirs = snapshot.received
    received = (
        None if theirs is None else {key: value for key, value in theirs.items() if key.source.instance == instance}
    )
    return Snapshot(snapshot.at, answers, durations, received=received)


def is_error(answer: Answer) -> bool:
    """5xx, a gRPC status of the same meaning, or no answer at all; a caller that hung up is none."""
    if answer.code.startswith("5") or answer.grpc in GRPC_SERVER_ERRORS:
        return True
    return answer.code == "0" and answer.flags not in CLIENT_LEFT


def is_cancelled(answer: Answer) -> bool:
    """The caller hung up before there was an answer."""
    return answer.code == "0" and answer.flags in CLIENT_LEFT


def _restarted(window: Window, fresh: frozenset[str]) -> set[str]:
    """Instances with a counter that fell."""
    then = window.then.answers
    return {
        answer.source.instance
        for answer, now in window.now.answers.items()
        if now < then.get(answer, 0.0) and answer.source.instance in fresh
    }


def _trouble(window: Window, target: Target) -> str:
    if target.version_label != "version":
        unnamed = [v for v in (target.baseline, target.candidate) if v not in target.workloads]
        if unnamed:
            return f"No Deployment is known for {' and '.join(unnamed)}, so its requests cannot be told apart."
    if not window.now.answers:
        metric = REQUESTS if target.carries_requests else CONNECTIONS
        return f"Prometheus has no {metric} of {target.host}."
    if not window.answers_scraped:
        return f"Prometheus does not say when {target.host} was scraped."
    newest = max(window.answers_scraped.values())
    if newest <= window.then.at.timestamp():
        late = window.now.at.timestamp() - newest
        return f"The figures of {target.host} are stale: last scraped {late:,.0f} s ago, not since this look began."
    if not window.then.answers and not window.then.gone:
        return f"The counters of {target.host} appeared in this look; the next one has figures."
    return "" if window.fresh(window.answers_scraped) else _nothing(target)


def _nothing(target: Target) -> str:
    return f"No instance that reports {target.host} was scraped at both ends of this look."


def picker(target: Target) -> Callable[[str], Callable[[Source], bool]]:
    """Which counters are a version's: by its label, or by the Deployment where another label names the version."""
    if target.version_label == "version":
        return lambda version: lambda source: source.version == version
    names = {**target.workloads, UNKNOWN: UNKNOWN}
    return lambda version: lambda source: source.workload == names[version]


def _arm(window: Window, is_ours: Callable[[Source], bool]) -> Arm:
    fresh = window.fresh(window.answers_scraped)
    ours = [(answer, delta) for answer, delta in _answers(window, fresh) if is_ours(answer.source)]
    buckets = _buckets(window, is_ours)
    if not ours and not window.sees_absence:
        return Arm(buckets=buckets)
    requests = math.fsum(delta for _, delta in ours)
    errors = math.fsum(delta for answer, delta in ours if is_error(answer))
    if math.isnan(requests):
        return Arm(buckets=buckets)
    cancelled = math.fsum(delta for answer, delta in ours if is_cancelled(answer))
    retried = math.fsum(delta for answer, delta in ours if RETRIED in answer.flags.split(","))
    return Arm(requests, errors, buckets, cancelled=cancelled, retried=retried)


def _answers(window: Window, fresh: frozenset[str]) -> Iterable[tuple[Answer, float]]:
    then, gone = window.then.answers, window.then.gone
    for answer, now in window.now.answers.items():
        instance = answer.source.instance
        if instance not in fresh:
            continue
        before = then.get(answer)
        if before is None and instance in gone:
            before = gone[instance].counters.answers.get(answer)
        yield answer, _since(before, now)


def _buckets(window: Window, is_ours: Callable[[Source], bool]) -> dict[float, float]:
    fresh = window.fresh(window.durations_scraped)
    sums: dict[float, float] = {}
    for source, now in window.now.durations.items():
        if source.instance not in fresh or not is_ours(source):
            continue
        before = window.then.durations.get(source)
        if before is None and source.instance in window.then.gone:
            before = window.then.gone[source.instance].counters.durations.get(source)
        # One bucket that fell means that the whole histogram began anew.
        if before is None or any(now.get(edge, 0.0) < count for edge, count in before.items()):
            before = {}
        for edge, count in now.items():
            sums[edge] = sums.get(edge, 0.0) + count - before.get(edge, 0.0)
    if any(math.isnan(count) for count in sums.values()):
        return {}
    return dict(sorted(sums.items()))


def _since(before: float | None, now: float) -> float:
    if before is None or now < before:
        return now
    return now - before


def _instances(snapshot: Snapshot) -> frozenset[str]:
    answers = (*snapshot.answers, *(snapshot.received or ()))
    return frozenset(answer.source.instance for answer in answers) | frozenset(
        source.instance for source in snapshot.durations
    )
