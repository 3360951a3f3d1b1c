"""The proof that nobody calls a version any more."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from bot.metrics.idleness import Accounts, callers, drained, proof
from bot.metrics.queries import Reporter
from bot.metrics.snapshots import Result, scrapes
from tests.builders import NOW, a_target

WINDOW = timedelta(seconds=60)
HOST = a_target().host
BOTH = ("source", "destination")


def rows(values: Mapping[str, float], version: str = "v1") -> list[Result]:
    return [
        {
            "metric": {
                "reporter": reporter,
                "instance": f"{reporter}-1",
                "destination_service": HOST,
                "destination_version": version,
                "destination_workload": f"reviews-{version}",
            },
            "value": [0, str(value)],
        }
        for reporter, value in values.items()
    ]


def a_proof(
    start: Mapping[str, float],
    end: Mapping[str, float],
    *,
    counts: Mapping[str, float] | None = None,
    age: float = 5,
    reporter: Reporter = Reporter.BOTH,
) -> tuple[bool, str]:
    inside = counts or dict.fromkeys({*start, *end}, 4)
    newest = scrapes(rows(dict.fromkeys(BOTH, NOW.timestamp() - age)))
    accounts = Accounts(rows(start), rows(end), rows(inside), newest, NOW - WINDOW, NOW)
    return proof(accounts, a_target(), "v1", reporter)


STILL = dict.fromkeys(BOTH, 100.0)


def test_both_accounts_unchanged_while_scraped_are_a_proof() -> None:
    is_idle, text = a_proof(STILL, STILL)
    assert is_idle
    assert text == (
        "No request to v1 for 60 s: 2 counters of destination and source unchanged over at least 4 scrapes."
    )


@pytest.mark.parametrize(
    ("start", "end", "changes", "why"),
    [
        ({}, {}, {}, "no series is no proof"),
        ({"source": 1.0}, {"source": 1.0}, {}, "No counter of the destination reporter"),
        (STILL, {"source": 103.0, "destination": 100.0}, {}, "still called: 3 requests"),
        (STILL, {"source": 0.0, "destination": 100.0}, {}, "still called: 1 request "),
        (STILL, {"source": float("nan"), "destination": 100.0}, {}, "not a number"),
        ({"source": 100.0}, STILL, {}, "came or went inside the window (destination-1)"),
        (STILL, STILL, {"counts": dict.fromkeys(BOTH, 1.0)}, "scraped 1 time in 60 s; 2 are needed"),
        (STILL, STILL, {"age": 45.0}, "not scraped in the later half"),
    ],
)
def test_whatever_is_not_known_is_no_proof(
    start: dict[str, float], end: dict[str, float], changes: dict[str, float], why: str
) -> None:
    is_idle, text = a_proof(start, end, **changes)  # type: ignore[arg-type]  # one keyword of several kinds
    assert not is_idle
    assert why in text


def test_one_account_is_enough_where_only_one_is_kept() -> None:
    assert a_proof({"destination": 7.0}, {"destination": 7.0}, reporter=Reporter.DESTINATION)[0]


def test_a_version_told_by_another_label_is_found_by_its_deployment() -> None:
    target = a_target(baseline="blue", version_label="color", workloads={"blue": "reviews-v1"})
    newest = scrapes(rows(dict.fromkeys(BOTH, NOW.timestamp())))
    accounts = Accounts(rows(STILL), rows(STILL), rows(dict.fromkeys(BOTH, 4.0)), newest, NOW - WINDOW, NOW)
    assert proof(accounts, target, "blue", Reporter.BOTH)[0]
    assert not proof(accounts, target, "green", Reporter.BOTH)[0]


def calls(values: Mapping[str, float], caller: str = "cart", version: str = "v1") -> list[Result]:
    named = {"source_workload": caller, "source_workload_namespace": "shop"}
    return [{**row, "metric": {**row["metric"], **named}} for row in rows(values, version)]


def test_whoever_still_calls_is_named_the_busiest_first() -> None:
    before = [*calls(STILL), *calls(STILL, "curl")]
    now = [*calls({"source": 102.0, "destination": 103.0}), *calls({"source": 109.0}, "curl"), *calls(STILL, "idle")]
    told = callers(before, [*now, *calls({"source": 500.0}, "cart", "v2")], a_target(), "v1")
    assert told == " Its callers: idle in shop (100 requests), curl in shop (9 requests), cart in shop (3 requests)."


def test_nobody_is_named_when_nobody_called() -> None:
    assert callers(calls(STILL), calls(STILL), a_target(), "v1") == ""


@pytest.mark.parametrize(
    ("most", "is_idle", "words"),
    [
        ("3", False, "v1 is still draining: 3 requests under way within the last 60 s."),
        ("NaN", False, "v1 is still draining: an unknown number of requests"),
        ("0", True, "Still. No request was under way for 60 s."),
        (None, True, "Still. Requests that began earlier and never ended would not show"),
    ],
)
def test_requests_under_way_are_waited_for_where_proxies_tell(most: str | None, is_idle: bool, words: str) -> None:
    found: list[Result] = [] if most is None else [{"metric": {"instance": "gw-1"}, "value": [0, most]}]
    told = drained("Still.", found, "v1", WINDOW)
    assert told[0] is is_idle
    assert told[1].startswith(words)
