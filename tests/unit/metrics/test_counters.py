"""Differences of counters: resets, new and vanished series, lost scrapes."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.metrics.counters import Measured, Window, is_error, measured, mirrored, remembered
from bot.metrics.snapshots import Answer, Snapshot, Source
from strategies.release import Target
from tests.builders import NOW, a_target

THEN = NOW - timedelta(seconds=15)
FRESH = NOW.timestamp() - 1


def an_answer(version: str, code: str = "200", *, instance: str = "gw-1", flags: str = "-", grpc: str = "") -> Answer:
    source = Source(version, "unknown" if version == "unknown" else f"reviews-{version}", instance)
    return Answer(source, code, flags, grpc)


def a_look(
    then: Mapping[Answer, float],
    now: Mapping[Answer, float],
    *,
    target: Target | None = None,
    scraped: float = FRESH,
    **changes: bool,
) -> Measured:
    before = Snapshot(THEN, then, is_watched=changes.pop("is_watched", False))
    instances = {answer.source.instance: scraped for answer in now}
    window = Window(before, Snapshot(NOW, now), instances, instances, sees_absence=changes.pop("sees_absence", True))
    return measured(window, target or a_target())


def test_copies_are_read_as_received_and_live_requests_apart() -> None:
    pod1, pod2 = an_answer("v1", instance="v1-1"), an_answer("v2", instance="v2-1")
    then = Snapshot(THEN, {V1: 100.0}, received={pod1: 90.0, pod2: 5.0})
    now = Snapshot(NOW, {V1: 195.0, V2: 3.0}, received={pod1: 185.0, pod2: 14.0})
    callers = Window(then, now, {"gw-1": FRESH}, {}, sees_absence=True)
    receivers = Window(then.as_received(), now.as_received(), {"v1-1": FRESH, "v2-1": FRESH}, {}, sees_absence=False)
    seen = mirrored(callers, receivers, a_target())
    assert (seen.baseline.requests, seen.candidate.requests, seen.live) == (95, 9, 3)


def test_a_receiver_that_comes_back_goes_on_from_its_last_count() -> None:
    pod = an_answer("v2", instance="v2-1")
    before = remembered(Snapshot(THEN, {}, received={pod: 5.0}), Snapshot(NOW, {}, received={}))
    assert before.as_received().gone["v2-1"].counters.answers == {pod: 5.0}


V1, V2, BAD = an_answer("v1"), an_answer("v2"), an_answer("v2", "503")


def test_a_look_is_the_growth_of_each_counter() -> None:
    seen = a_look({V1: 100, V2: 10, BAD: 1}, {V1: 195, V2: 15, BAD: 3})
    assert (seen.baseline.requests, seen.baseline.errors) == (95, 0)
    assert (seen.candidate.requests, seen.candidate.errors) == (7, 2)
    assert seen.trouble == ""


def test_a_reset_counts_what_came_after_it() -> None:
    assert a_look({V1: 100, V2: 10}, {V1: 4, V2: 12}).baseline.requests == 4


def test_a_new_series_of_a_known_instance_starts_at_zero() -> None:
    assert a_look({V1: 100}, {V1: 150, BAD: 5}).candidate.errors == 5


def test_a_vanished_series_adds_nothing() -> None:
    seen = a_look({V1: 100, V2: 10}, {V1: 150})
    assert (seen.baseline.requests, seen.candidate.requests) == (50, 0)


def test_an_unknown_instance_is_left_out_when_nothing_was_watched() -> None:
    other = an_answer("v1", instance="gw-2")
    assert a_look({V1: 100}, {V1: 150, other: 9_000_000}).baseline.requests == 50


def test_an_instance_that_is_born_while_we_watch_counts_from_zero() -> None:
    other = an_answer("v1", instance="gw-2")
    assert a_look({V1: 100}, {V1: 150, other: 30}, is_watched=True).baseline.requests == 80


def test_an_instance_that_comes_back_goes_on_where_it_was() -> None:
    other = an_answer("v1", instance="gw-2")
    first = Snapshot(THEN - timedelta(seconds=15), {V1: 90, other: 9_000_000})
    second = remembered(first, Snapshot(THEN, {V1: 100}))
    window = Window(second, Snapshot(NOW, {V1: 150, other: 9_000_040}), both(FRESH), {}, sees_absence=True)
    assert measured(window, a_target()).baseline.requests == 90


def both(scraped: float) -> dict[str, float]:
    return {"gw-1": scraped, "gw-2": scraped}


def test_counters_that_appear_out_of_nothing_give_no_figures() -> None:
    seen = a_look({}, {V1: 9_000_000, V2: 4}, is_watched=True)
    assert seen.baseline.requests is None
    assert "appeared in this look" in seen.trouble


def test_no_scrape_since_the_look_began_is_stale_and_not_quiet() -> None:
    seen = a_look({V1: 100, V2: 10}, {V1: 100, V2: 10}, scraped=THEN.timestamp())
    assert seen.candidate.requests is None
    assert "stale: last scraped 15 s ago" in seen.trouble


def test_one_stale_instance_does_not_silence_the_other() -> None:
    other = an_answer("v1", instance="gw-2")
    scraped = {"gw-1": FRESH, "gw-2": THEN.timestamp()}
    window = Window(Snapshot(THEN, {V1: 1, other: 1}), Snapshot(NOW, {V1: 5, other: 1}), scraped, {}, sees_absence=True)
    assert measured(window, a_target()).baseline.requests == 4


def test_no_series_at_all_says_so() -> None:
    assert a_look({}, {}).trouble == "Prometheus has no istio_requests_total of reviews.shop.svc.cluster.local."


def test_not_a_number_is_no_data() -> None:
    seen = a_look({V1: 1, V2: 1}, {V1: 5, V2: math.nan})
    assert (seen.baseline.requests, seen.candidate.requests) == (4, None)


def test_the_callee_cannot_vouch_for_a_version_it_has_no_counter_of() -> None:
    assert a_look({V1: 1}, {V1: 5}, sees_absence=False).candidate.requests is None
    assert a_look({V1: 1}, {V1: 5}, sees_absence=True).candidate.requests == 0


def test_errors_that_name_no_version_are_unattributed() -> None:
    lost = an_answer("unknown", "503", flags="UH")
    seen = a_look({V1: 1, lost: 2}, {V1: 5, lost: 9})
    assert (seen.unattributed, seen.candidate.requests) == (7, 0)


def test_by_workload_when_pods_are_told_apart_by_another_label() -> None:
    target = a_target(baseline="blue", candidate="green", version_label="color")
    target = replace(target, workloads={"blue": "reviews-v1", "green": "reviews-v2"})
    assert a_look({V1: 1, V2: 1}, {V1: 5, V2: 3}, target=target).candidate.requests == 2


def test_a_version_without_a_known_deployment_is_trouble() -> None:
    target = a_target(version_label="color", workloads={"v1": "reviews-v1"})
    assert "No Deployment is known for v2" in a_look({V1: 1}, {V1: 5}, target=target).trouble


def test_histograms_are_subtracted_per_pod_and_a_reset_starts_anew() -> None:
    pods = [Source("v2", "reviews-v2", name) for name in ("pod-1", "pod-2")]
    then = {pods[0]: {10.0: 100.0, math.inf: 110.0}, pods[1]: {10.0: 5.0, math.inf: 5.0}}
    now = {pods[0]: {10.0: 3.0, math.inf: 4.0}, pods[1]: {10.0: 7.0, math.inf: 9.0}}
    scraped = {pod.instance: FRESH for pod in pods}
    window = Window(Snapshot(THEN, {V1: 1}, then), Snapshot(NOW, {V1: 2}, now), {"gw-1": FRESH}, scraped, True)
    assert measured(window, a_target()).candidate.buckets == {10.0: 5.0, math.inf: 8.0}


def test_what_counts_as_an_error() -> None:
    errors = [an_answer("v2", "500"), an_answer("v2", "0", flags="UC"), an_answer("v2", grpc="14")]
    fine = [
        an_answer("v2", "404"),
        an_answer("v2", "0", flags="DC"),
        an_answer("v2", grpc="5"),
        an_answer("v2", grpc="0"),
    ]
    assert [is_error(answer) for answer in (*errors, *fine)] == [True] * 3 + [False] * 4


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=20), st.data())
def test_looks_add_up_to_the_whole_however_often_one_looks(growth: list[int], data: st.DataObject) -> None:
    resets = data.draw(st.lists(st.booleans(), min_size=len(growth), max_size=len(growth)))
    value, seen, last = 1_000_000, 0.0, Snapshot(NOW, {V1: 1_000_000})
    for n, (more, is_reset) in enumerate(zip(growth, resets, strict=True), start=1):
        value = more if is_reset and more < value else value + more
        now = Snapshot(NOW + timedelta(seconds=n), {V1: value})
        window = Window(last, now, {"gw-1": now.at.timestamp()}, {}, sees_absence=True)
        seen += measured(window, a_target()).baseline.requests or 0
        last = remembered(last, now)
    assert seen == sum(growth)


def test_a_caller_that_hung_up_is_counted_apart_and_a_retry_in_vain_is_seen() -> None:
    left, vain = an_answer("v2", "0", flags="DC"), an_answer("v2", "503", flags="UC,URX")
    seen = a_look({V2: 0.0}, {V2: 10.0, left: 3.0, vain: 2.0})
    assert (seen.candidate.requests, seen.candidate.errors) == (15, 2)
    assert (seen.candidate.cancelled, seen.candidate.retried) == (3, 2)


def test_proxies_that_began_anew_are_counted() -> None:
    assert a_look({V1: 100.0, V2: 10.0}, {V1: 8.0, V2: 12.0}).resets == 1
    assert a_look({V1: 100.0}, {V1: 100.0}).resets == 0
