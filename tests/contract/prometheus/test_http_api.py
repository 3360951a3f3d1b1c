"""The other questions of the HTTP API: ranges, series, labels, refusals, and the client the bot uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prometheus_api_client import PrometheusConnect

from tests.contract.patience import PATIENCE
from tests.contract.prometheus.random_series import BASE, SECONDS

if TYPE_CHECKING:
    from tests.contract.prometheus.pair import Pair

END = BASE + SECONDS * 1000
RANGED = (
    "heat",
    "rate(hits_total[30s])",
    "sum by (version) (rate(hits_total[1m]))",
    "histogram_quantile(0.99, sum by (le, version) (rate(took_bucket[1m])))",
    "heat > 20",
    "absent(heat)",
    "time()",
    "vector(1)",
    "scalar(quota)",
    "3",
)
MATCHES = ("heat", 'hits_total{version="v1"}', '{app=~"s.*"}', "nothing")
WRONG = (
    {"query": "heat[1m]", "start": "1", "end": "2", "step": "1"},
    {"query": '"text"', "start": "1", "end": "2", "step": "1"},
    {"query": "heat", "start": "2", "end": "1", "step": "1"},
    {"query": "heat", "start": "1", "end": "2", "step": "0"},
    {"query": "heat", "start": "1", "end": "2", "step": "-1"},
    {"query": "heat", "start": "1", "end": "12000", "step": "1"},
    {"query": "heat", "start": "x", "end": "2", "step": "1"},
    {"query": "heat", "start": "1", "end": "", "step": "1"},
    {"query": "heat", "start": "1", "end": "2", "step": "1y1x"},
)


@pytest.mark.parametrize("query", RANGED)
@pytest.mark.parametrize("step", [5.0, 17.3])
def test_a_range_has_the_same_points(pair: Pair, query: str, step: float) -> None:
    pair.assert_same_range(query, BASE - 10_000, END + 330_000, step)


@pytest.mark.parametrize("match", MATCHES)
def test_series_lists_the_same_label_sets(pair: Pair, match: str) -> None:
    span = {"start": str(BASE / 1000), "end": str(END / 1000)}
    built, real = pair.ask("series", **{"match[]": [match, "quota"]}, **span)
    assert _sorted(built.json()["data"]) == _sorted(real.json()["data"])


@pytest.mark.parametrize("path", ["labels", "label/version/values", "label/__name__/values", "label/none/values"])
def test_label_names_and_values_are_the_same(pair: Pair, path: str) -> None:
    built, real = pair.ask(path)
    assert built.json() == real.json()


def test_label_values_obey_a_selector(pair: Pair) -> None:
    built, real = pair.ask("label/pod/values", **{"match[]": ['heat{version="v2"}']})
    assert built.json() == real.json()
    assert built.json()["data"]


@pytest.mark.parametrize("parameters", WRONG)
def test_a_wrong_range_is_refused_in_the_same_words(pair: Pair, parameters: dict[str, str]) -> None:
    built, real = pair.ask("query_range", **parameters)
    assert (built.status_code, built.json()) == (real.status_code, real.json())


def test_a_many_to_many_match_is_refused_in_the_same_words(pair: Pair) -> None:
    query = 'label_replace(quota, "app", "same", "", "") * on () (quota{app="shop"} or quota{app="cart"})'
    built, real = pair.ask("query", query=query, time=str((BASE + 100_000) / 1000))
    assert built.status_code == real.status_code == 422
    assert built.json() == real.json()


def test_series_without_a_selector_is_refused_in_the_same_words(pair: Pair) -> None:
    built, real = pair.ask("series")
    assert (built.status_code, built.json()) == (real.status_code, real.json())


def test_a_vectors_json_is_the_same_to_the_letter(pair: Pair) -> None:
    built, real = pair.ask("query", query='quota{app="shop"} * 1e-7', time=str((BASE + 100_250) / 1000))
    assert built.json() == real.json()


@pytest.mark.parametrize("path", ["/-/ready", "/-/healthy"])
def test_probes_answer_alike(pair: Pair, path: str) -> None:
    built, real = pair.built.get(path), pair.real.get(path)
    assert built.status_code == real.status_code == 200


def test_a_form_is_read_like_a_query(pair: Pair) -> None:
    form = {"query": "quota", "time": str((BASE + 100_000) / 1000)}
    built, real = (client.post("/api/v1/query", data=form).json() for client in (pair.built, pair.real))
    assert _sorted(built["data"]["result"]) == _sorted(real["data"]["result"])


def test_the_bots_client_reads_both_alike(pair: Pair) -> None:
    answers = []
    for client in (pair.built, pair.real):
        prometheus = PrometheusConnect(url=str(client.base_url).rstrip("/"))
        assert prometheus.check_prometheus_connection()
        vector = prometheus.custom_query("quota", params={"time": (BASE + 100_000) / 1000}, timeout=PATIENCE)
        answers.append((prometheus.all_metrics(), prometheus.get_label_values("app"), _sorted(vector)))
        prometheus._session.close()
    assert answers[0] == answers[1]
    assert answers[0][2]


def _sorted(rows: list[dict[str, object]]) -> list[str]:
    return sorted(str(sorted(row.items(), key=str)) for row in rows)
