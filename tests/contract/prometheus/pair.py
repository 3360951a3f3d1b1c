"""The stand-in and a real Prometheus with the same samples, asked the same question."""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from bot.sandbox.prometheus import BuiltinPrometheus
from bot.sandbox.prometheus.labels import Labels
from tests.contract.patience import PATIENCE
from tests.contract.prometheus.remote_write import Samples, write
from tests.parts.prometheus import running_prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

TOLERANCE = 1e-9


@dataclass(frozen=True)
class Pair:
    """A client of each; `store` fills them alike."""

    builtin: BuiltinPrometheus
    built: httpx.Client
    real: httpx.Client

    def store(self, series: Sequence[tuple[Mapping[str, str], Samples]]) -> None:
        """The same samples into both."""
        for labels, samples in series:
            for at, value in samples:
                self.builtin.store.append(Labels(labels), at, value)
        write(self.real, series)

    def ask(self, path: str, **parameters: str | list[str]) -> tuple[httpx.Response, httpx.Response]:
        """The stand-in's and the real answer."""
        built, real = (client.get(f"/api/v1/{path}", params=parameters) for client in (self.built, self.real))
        return built, real

    def assert_same_answer(self, query: str, at: int) -> None:
        """Asked at one instant (ms), both give the same series and values, or the same error."""
        self._compare(*self.ask("query", query=query, time=str(at / 1000)), f"{query} @ {at}")

    def assert_same_range(self, query: str, start: int, end: int, step: float) -> None:
        """Asked over a span, both give the same points."""
        span = {"start": str(start / 1000), "end": str(end / 1000), "step": str(step)}
        self._compare(*self.ask("query_range", query=query, **span), f"{query} over {start}..{end}")

    def _compare(self, built: httpx.Response, real: httpx.Response, question: str) -> None:
        assert built.status_code == real.status_code, (question, built.text, real.text)
        if real.status_code != httpx.codes.OK:
            assert built.json()["errorType"] == real.json()["errorType"], question
            return
        ours, theirs = built.json()["data"], real.json()["data"]
        assert ours["resultType"] == theirs["resultType"], question
        kept = "sort" in query_head(question)
        assert_equal(_normal(ours, keep_order=kept), _normal(theirs, keep_order=kept), question)


def query_head(question: str) -> str:
    """The outermost function's name."""
    return question.split("(", 1)[0]


def _normal(data: Mapping[str, Any], *, keep_order: bool) -> Any:
    if data["resultType"] in ("scalar", "string"):
        return data["result"]
    rows = [(tuple(sorted(row["metric"].items())), row.get("values", [row.get("value")])) for row in data["result"]]
    return rows if keep_order else sorted(rows, key=lambda row: row[0])


def assert_equal(ours: Any, theirs: Any, question: str) -> None:
    """Equal shapes and texts; numbers, also those in texts, to a tolerance."""
    if isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs), (question, ours, theirs)
        for our_part, their_part in zip(ours, theirs, strict=True):
            assert_equal(our_part, their_part, question)
    elif ours != theirs:
        assert _close(ours, theirs), (question, ours, theirs)


def _close(ours: Any, theirs: Any) -> bool:
    try:
        our_number, their_number = float(ours), float(theirs)
    except ValueError:
        return False
    if math.isnan(their_number):
        return math.isnan(our_number)
    return math.isclose(our_number, their_number, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


@contextlib.contextmanager
def running_pair(folder: Path) -> Iterator[Pair]:
    """Both running and empty."""
    with (
        running_prometheus(folder) as real_url,
        served(BuiltinPrometheus(retention_ms=2**62)) as builtin,
        # Clients of one's own: a fresh one per question reads the certificates of the machine each time.
        httpx.Client(base_url=builtin.url, timeout=PATIENCE) as built,
        httpx.Client(base_url=real_url, timeout=PATIENCE) as real,
    ):
        yield Pair(builtin, built, real)


@contextlib.contextmanager
def served(builtin: BuiltinPrometheus) -> Iterator[BuiltinPrometheus]:
    """The stand-in on a loop of its own, so that blocking clients can ask it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(builtin.start(), loop).result(PATIENCE)
        yield builtin
        asyncio.run_coroutine_threadsafe(builtin.stop(), loop).result(PATIENCE)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()
