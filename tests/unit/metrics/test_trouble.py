"""Whatever goes wrong with Prometheus ends as one sentence, and the next look makes up for it."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from bot.metrics.connection import RefusedError, UnansweredError
from bot.metrics.prometheus import PrometheusMetrics
from bot.ports import Subject
from strategies.plan import Kind, MetricGate
from tests.builders import NOW, a_reading, a_target
from tests.fakes_metrics import FakeMetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from strategies.verdicts import Reading

Reply = tuple[int, str]
SECONDS = timedelta(seconds=15)


class Prometheus:
    """A server that answers each query by `reply`, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.reply: Callable[[dict[str, str]], Reply] = counting
        self.silence = threading.Event()
        self.silence.set()
        self.url = ""


def counting(asked: dict[str, str]) -> Reply:
    """One counter of v1 that grows by ten each second."""
    when = float(asked["time"]) if "time" in asked else 0.0
    labels = {"destination_service": a_target().host, "destination_version": "v1", "instance": "gw-1"}
    if "timestamp(" in asked["query"]:
        value = when
    elif "_bucket" in asked["query"] and " or " not in asked["query"]:
        return 200, json.dumps({"data": {"resultType": "vector", "result": []}})
    else:
        value = 10 * when
    row = {"metric": labels | {"reporter": "source", "response_code": "200"}, "value": [when, repr(value)]}
    return 200, json.dumps({"data": {"resultType": "vector", "result": [row]}})


@pytest.fixture
def prometheus() -> Iterator[Prometheus]:
    with served(Prometheus()) as server:
        yield server


@contextmanager
def served(prometheus: Prometheus) -> Iterator[Prometheus]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked = {name: values[0] for name, values in parse_qs(body).items()}
            prometheus.asked.append(asked)
            prometheus.silence.wait()
            status, text = prometheus.reply(asked)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        prometheus.url = f"http://me:secret@127.0.0.1:{server.server_port}/prom"
        yield prometheus
        prometheus.silence.set()
        server.shutdown()
        thread.join()


@contextmanager
def metrics_of(prometheus: Prometheus, timeout: int = 60) -> Iterator[PrometheusMetrics]:
    metrics = PrometheusMetrics(prometheus.url, timeout=timeout)
    try:
        yield metrics
    finally:
        metrics.close()


def look(metrics: PrometheusMetrics, n: int) -> Reading:
    """The n-th look of fifteen seconds."""
    subject = Subject("reviews-1", a_target(), NOW + SECONDS * (n - 1))
    return metrics.look([subject], NOW + SECONDS * n)["reviews-1"]


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        ((503, "busy"), "refused the query: HTTP 503."),
        ((422, '{"status":"error","error":"too many samples"}'), "refused the query: HTTP 422, too many samples."),
        ((200, "<html>"), "did not answer as a Prometheus does."),
        ((200, '{"data":null}'), "did not answer as a Prometheus does."),
        ((200, '{"data":{"result":{}}}'), "did not answer as a Prometheus does."),
    ],
)
def test_a_wrong_answer_is_one_sentence(prometheus: Prometheus, reply: Reply, sentence: str) -> None:
    prometheus.reply = lambda _: reply
    with metrics_of(prometheus) as metrics:
        reading = look(metrics, 1)
        assert reading.baseline.requests is None
        assert sentence in reading.trouble
        assert metrics.troubles() == [reading.trouble]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [((400, "<html>"), UnansweredError), ((400, '{"status":"error","error":"parse error"}'), RefusedError)],
)
def test_a_page_in_the_place_of_prometheus_does_not_make_the_query_wrong(
    prometheus: Prometheus, reply: Reply, kind: type[UnansweredError]
) -> None:
    prometheus.reply = lambda _: reply
    with metrics_of(prometheus) as metrics, pytest.raises(UnansweredError, match="HTTP 400") as raised:
        metrics._connection.ask("up")
    assert raised.type is kind


def test_silence_ends_at_the_timeout(prometheus: Prometheus) -> None:
    prometheus.silence.clear()
    with metrics_of(prometheus, timeout=1) as metrics:
        assert "did not answer within 1 s" in look(metrics, 1).trouble


def test_nobody_listening_is_one_sentence_without_the_password() -> None:
    with served(Prometheus()) as gone:
        pass
    with metrics_of(gone) as metrics:
        trouble = look(metrics, 1).trouble
        assert trouble.endswith("is unreachable.")
        assert "secret" not in trouble
        assert metrics.is_idle(a_target(), "v1", SECONDS, NOW) == (False, trouble)


def test_the_look_after_a_failed_one_spans_both(prometheus: Prometheus) -> None:
    with metrics_of(prometheus) as metrics:
        assert look(metrics, 1).baseline.requests == 150
        prometheus.reply = lambda _: (503, "")
        assert look(metrics, 2).baseline.requests is None
        prometheus.reply = counting
        reading = look(metrics, 3)
        assert reading.baseline.requests == 300
        assert reading.since == NOW + SECONDS


def test_a_gap_that_another_replica_filled_is_not_counted_again(prometheus: Prometheus) -> None:
    with metrics_of(prometheus) as metrics:
        look(metrics, 1)
        reading = look(metrics, 5)
        assert (reading.since, reading.baseline.requests) == (NOW + 4 * SECONDS, 150)


def test_a_look_is_three_queries_and_a_restart_at_most_five(prometheus: Prometheus) -> None:
    starts = [NOW - timedelta(seconds=n) for n in range(50)]
    subjects = [Subject(f"reviews-{n}", a_target(), since) for n, since in enumerate(starts)]
    with metrics_of(prometheus) as metrics:
        readings = metrics.look(subjects, NOW + SECONDS)
        assert len(prometheus.asked) == 5
        assert all(readings[s.release].since >= s.since for s in subjects)
        assert all(reading.baseline.requests for reading in readings.values())
        later = [Subject(subject.release, subject.target, NOW + SECONDS) for subject in subjects]
        metrics.look(later, NOW + 2 * SECONDS)
        assert len(prometheus.asked) == 8


def test_the_query_travels_in_the_body(prometheus: Prometheus) -> None:
    with metrics_of(prometheus) as metrics:
        look(metrics, 1)
    assert {"query", "time", "timeout"} == prometheus.asked[0].keys()


def test_troubles_asks_when_nobody_else_did(prometheus: Prometheus) -> None:
    with metrics_of(prometheus) as metrics:
        assert metrics.troubles() == []
        assert [asked["query"] for asked in prometheus.asked] == ["vector(1)"]
        metrics.troubles()
        assert len(prometheus.asked) == 1


def test_no_release_is_no_query(prometheus: Prometheus) -> None:
    with metrics_of(prometheus) as metrics:
        assert metrics.look([], NOW) == {}
        assert prometheus.asked == []


def test_the_fake_gives_its_script_and_then_the_last_reading_for_ever() -> None:
    fake, subject = FakeMetrics(), Subject("reviews-1", a_target(), NOW)
    fake.script("reviews-1", [a_reading(unattributed=1.0), a_reading(unattributed=2.0)])
    seen = [fake.look([subject], NOW + SECONDS * n)["reviews-1"] for n in range(3)]
    assert [(reading.unattributed, reading.since) for reading in seen] == [(1, NOW), (2, NOW), (2, NOW)]


def test_the_fake_is_down_when_told_so() -> None:
    fake = FakeMetrics()
    fake.trouble = "Prometheus is down."
    assert fake.look([Subject("reviews-1", a_target(), NOW)], NOW)["reviews-1"].trouble == "Prometheus is down."
    assert fake.troubles() == ["Prometheus is down."]


def test_a_look_of_every_kind_is_at_most_eight_queries_whatever_is_refused(prometheus: Prometheus) -> None:
    own = MetricGate("orders", "1", query='orders_total{version="{{version}}"}', kind=Kind.COUNTS)
    gates = (own, MetricGate("outgoing_errors", "ratio"), MetricGate("cpu", "cores"))
    refused = json.dumps({"status": "error", "error": "parse error"})
    prometheus.reply = lambda asked: (400, refused) if "orders_total" in asked["query"] else counting(asked)
    with metrics_of(prometheus) as metrics:
        for n in range(4):
            starts = [NOW + n * SECONDS - timedelta(seconds=m * (n == 0)) for m in range(50)]
            subjects = [Subject(f"reviews-{m}", a_target(), since, gates=gates) for m, since in enumerate(starts)]
            before = len(prometheus.asked)
            readings = metrics.look(subjects, NOW + (n + 1) * SECONDS)
            assert len(prometheus.asked) - before <= 8
            assert all(reading.baseline.requests and "orders" in reading.troubles for reading in readings.values())
