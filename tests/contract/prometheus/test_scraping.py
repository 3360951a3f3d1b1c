"""Both scrape the same pages: the same series, labels and ends of series."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from bot.sandbox.prometheus import BuiltinPrometheus, PrometheusMissingError, RealPrometheus, Target, choose
from tests.contract.patience import PATIENCE, until
from tests.contract.prometheus.pages import Pages, served_pages
from tests.parts import loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.sandbox.prometheus.choice import RunningPrometheus

SHOP = r"""# HELP hits_total Requests.
# TYPE hits_total counter
hits_total{code="200",job="mine",path="a\"b\\c\nd"} 1.5e3
hits_total{code="503",empty="",} +Inf
odd   NaN
took_bucket{le="+Inf"} 7 
"""
QUERIES = (
    '{job="shop", __name__!~"scrape_duration_seconds|scrape_series_added"}',
    'sum without (code, zone) ({__name__=~"hits_total|odd|took_bucket", job="shop"})',
    'up{job="cart"}',
    'up{job="bad"}',
    'scrape_samples_scraped{job="cart"}',
    'scrape_samples_post_metric_relabeling{job="bad"}',
)
BAD = "fine 1\nnot a sample at all {\n"
# Pages on the edge of the format: taken or refused, and read, alike.
EDGES = {
    "leading": "  odd 1\n",
    "trailing": "odd 7 \n",
    "empty-label": 'h{code="503",empty="",} +Inf\n',
    "no-newline": "odd 1",
    "twice": "odd 1\nodd 2\n",
    "underscore": "odd 1_0\n",
    "hexadecimal": "odd 0x1p3\n",
    "spaces": 'odd { a = "b" , c="d" } 3\n',
    "tab": "odd\t3\n",
    "carriage-return": "odd 1\r\n",
    "bad-escape": 'odd{a="\\q"} 1\n',
    "label-twice": 'odd{a="1",a="2"} 1\n',
    "no-space": 'odd{a="1"}1\n',
    "infinity": "odd Infinity\n",
    "unicode": 'odd{a="é}"} 1\n',
    "no-labels": "odd{} 1\n",
    "comma": "odd{,} 1\n",
    "comment-behind": "odd 1 # x\n",
    "negative-time": "odd 1 -5\n",
    "no-type": "# TYPE odd\nodd 1\n",
    "bad-type": "# TYPE odd bogus\nodd 1\n",
    "indented-comment": "  # HELP odd x\n   \nodd 1\n",
    "no-name": '{a="1"} 1\n',
    "empty": "",
}


@dataclass
class Scraped:
    """Both, and what they scrape."""

    kinds: dict[str, RunningPrometheus]
    targets: list[Target]
    pages: Pages
    page_url: str

    def rows(self, kind: str, query: str) -> Any:
        answer = loopback.get(f"{self.kinds[kind].url}/api/v1/query", params={"query": query}, timeout=PATIENCE).json()
        return sorted((sorted(row["metric"].items()), row["value"][1]) for row in answer["data"]["result"])

    def until(self, kind: str, query: str, wanted: Callable[[Any], bool]) -> Any:
        """The rows once they are as wanted; fails when they never become so."""
        deadline = time.monotonic() + PATIENCE
        while not wanted(rows := self.rows(kind, query)):
            assert time.monotonic() < deadline, (kind, query, rows)
            time.sleep(0.1)
        return rows


@pytest.fixture(scope="module")
def scraped(real_prometheus: None) -> Iterator[Scraped]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    pages = {"/shop": SHOP, "/cart?part=x": "old 1\nstays 2\n", "/bad": BAD}
    with served_pages(pages) as url:
        targets = [
            Target("shop", f"{url}/shop", {"zone": "north", "code": "mine"}, interval=0.5),
            Target("cart", f"{url}/cart?part=x", interval=0.5),
            Target("bad", f"{url}/bad", interval=0.5),
        ]
        pages |= {f"/{name}": page for name, page in EDGES.items()}
        targets += [Target(name, f"{url}/{name}") for name in EDGES]
        kinds = {kind: choose(kind, lambda: targets) for kind in ("builtin", "real")}
        for each in kinds.values():
            asyncio.run_coroutine_threadsafe(each.start(), loop).result(PATIENCE)
        yield Scraped(kinds, targets, pages, url)
        for each in kinds.values():
            asyncio.run_coroutine_threadsafe(each.stop(), loop).result(PATIENCE)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE)
    loop.close()


def test_the_same_pages_become_the_same_series(scraped: Scraped) -> None:
    for query in QUERIES:
        theirs = scraped.until("real", query, bool)
        scraped.until("builtin", query, theirs.__eq__)


@pytest.mark.parametrize("name", EDGES)
def test_a_page_on_the_edge_of_the_format_is_read_alike(scraped: Scraped, name: str) -> None:
    for query in (f'up{{job="{name}"}}', f'{{job="{name}", __name__=~"odd|h"}}'):
        for kind in scraped.kinds:
            scraped.until(kind, f'up{{job="{name}"}}', bool)
        # A page that came too late for one of them is scraped again.
        until(lambda query=query: scraped.rows("builtin", query) == scraped.rows("real", query))  # type: ignore[misc]


def test_a_page_with_one_bad_line_is_down_and_leaves_nothing(scraped: Scraped) -> None:
    for kind in scraped.kinds:
        down = scraped.until(kind, 'up{job="bad"}', bool)
        assert [value for _, value in down] == ["0"]
        assert scraped.rows(kind, "fine") == []


def test_both_name_the_target_and_its_error(scraped: Scraped) -> None:
    found = []
    for kind, each in scraped.kinds.items():
        scraped.until(kind, 'up{job="bad"}', bool)
        active = loopback.get(f"{each.url}/api/v1/targets", timeout=PATIENCE).json()["data"]["activeTargets"]
        found.append({(t["labels"]["job"], t["health"], t["scrapeUrl"], bool(t["lastError"])) for t in active})
    assert found[0] == found[1]
    assert ("bad", "down", f"{scraped.page_url}/bad", True) in found[0]


def test_a_series_that_vanishes_from_its_page_is_gone_at_once(scraped: Scraped) -> None:
    for kind in scraped.kinds:
        scraped.until(kind, "stays", bool)
    scraped.pages["/cart?part=x"] = "stays 2\n"
    for kind in scraped.kinds:
        scraped.until(kind, "old", lambda rows: rows == [])
        scraped.until(kind, "stays", bool)
        assert scraped.rows(kind, "last_over_time(old[1h])")


def test_a_target_that_stops_answering_is_down_and_its_series_gone_at_once(scraped: Scraped) -> None:
    for kind in scraped.kinds:
        scraped.until(kind, "hits_total", bool)
    kept = scraped.pages.pop("/shop")
    for kind in scraped.kinds:
        scraped.until(kind, 'up{job="shop"} == 0', bool)
        assert scraped.rows(kind, "hits_total") == []
    scraped.pages["/shop"] = kept
    for kind in scraped.kinds:
        scraped.until(kind, "hits_total", bool)


def test_a_target_that_is_taken_away_loses_its_series_and_its_up(scraped: Scraped) -> None:
    for kind in scraped.kinds:
        scraped.until(kind, "stays", bool)
    removed = scraped.targets.pop(1)
    for kind in scraped.kinds:
        scraped.until(kind, f'{{job="{removed.job}"}}', lambda rows: rows == [])
    scraped.targets.insert(1, removed)
    for kind in scraped.kinds:
        scraped.until(kind, "stays", bool)


def test_auto_takes_the_real_one_only_when_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/prometheus")
    assert isinstance(choose("auto"), RealPrometheus)
    assert isinstance(choose("builtin"), BuiltinPrometheus)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert isinstance(choose("auto"), BuiltinPrometheus)


def test_asking_for_a_real_one_that_is_absent_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(PrometheusMissingError, match="install it, or use --prometheus auto"):
        choose("real")
