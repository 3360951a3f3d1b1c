"""Grafana and Prometheus ask for metrics that exist, in PromQL that parses."""

import json
import re
from typing import Any

import promql_parser as promql
import pytest

from bot.api import telemetry
from bot.metrics import queries
from strategies.release import Phase
from tests.unit.deploy.files import documents, text

# The process collector reads /proc, so its names are not in the registry everywhere.
PROCESS = {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds"}
ISTIO = {queries.REQUESTS, queries.DURATIONS}
METRIC = re.compile(r"\b(?:sluice|process|istio)_\w+")


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text("deploy/grafana-dashboard.json"))["panels"]
    return found


def alerts() -> list[dict[str, Any]]:
    (file,) = documents("deploy/prometheus-rules.yaml")
    return [rule for group in file["groups"] for rule in group["rules"]]


def expressions() -> list[str]:
    asked = [target["expr"].replace("$service", "reviews") for panel in panels() for target in panel.get("targets", ())]
    return [*asked, *(alert["expr"] for alert in alerts())]


def own() -> set[str]:
    telemetry.SAVED.labels(Phase.STUCK.value)
    return {sample.name for family in telemetry.REGISTRY.collect() for sample in family.samples}


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_parses_and_asks_for_metrics_that_exist(expression: str) -> None:
    asked = set(METRIC.findall(expression))
    assert promql.parse(expression) is not None
    assert asked
    assert asked <= own() | PROCESS | ISTIO


def test_phases_that_are_asked_for_are_phases() -> None:
    asked = {phase for expression in expressions() for phase in re.findall(r'phase="(\w+)"', expression)}
    assert {"stuck"} <= asked <= {phase.value for phase in Phase}


def test_every_alert_says_what_to_do_and_how_bad_it_is() -> None:
    assert all({"summary", "description"} <= each["annotations"].keys() for each in alerts())
    assert {each["labels"]["severity"] for each in alerts()} <= {"critical", "warning"}


def test_panels_have_numbers_and_places_of_their_own() -> None:
    numbers = [panel["id"] for panel in panels()]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels())
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(numbers)) == len(numbers)
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
