"""The alerts that ship with Sluice, told over made-up hours to the real Prometheus rules engine."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.contract.patience import PATIENCE
from tests.parts.processes import PartMissingError
from tests.unit.deploy.files import ROOT

if TYPE_CHECKING:
    from pathlib import Path

RULES = ROOT / "deploy" / "prometheus-rules.yaml"
BOT = '{job="sluice", instance="10.0.0.7:8080"}'
UP = {"series": f"sluice_active_releases{BOT}", "values": "3x120"}
REQUESTS = {"series": "istio_requests_total{reporter='source'}", "values": "0+10x120"}
STUCK = 'sluice_saved_total{job="sluice", phase="stuck"}'
STARTED = f"process_start_time_seconds{BOT}"
MEMORY = f"process_resident_memory_bytes{BOT}"


def firing(folder: Path, series: list[dict[str, str]], at: str, alert: str) -> bool:
    """Whether the alert fires at that time; promtool fails where it fires and none was expected."""
    case = {
        "interval": "1m",
        "input_series": series,
        "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": []}],
    }
    file: dict[str, Any] = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [case]}
    (folder / "case.yaml").write_text(yaml.safe_dump(file))
    found = promtool("test", "rules", str(folder / "case.yaml"))
    assert found.returncode == 0 or f"alertname: {alert}" in found.stdout + found.stderr, found.stdout + found.stderr
    return found.returncode != 0


def promtool(*words: str) -> subprocess.CompletedProcess[str]:
    tool = shutil.which("promtool")
    if tool is None:
        raise PartMissingError("no promtool: install the package `prometheus`")
    return subprocess.run([tool, *words], capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_prometheus_takes_the_rules() -> None:
    found = promtool("check", "rules", str(RULES))
    assert (found.returncode, "5 rules found" in found.stdout) == (0, True), found.stderr


@pytest.mark.parametrize(
    ("alert", "series", "fires", "silent"),
    [
        ("SluiceDown", [REQUESTS], "6m", "4m"),
        ("SluiceReleaseStuck", [UP, {"series": STUCK, "values": "_x20 1x40"}], "25m", "19m"),
        ("SluiceReleaseStuck", [UP, {"series": STUCK, "values": "0x60 1x60"}], "65m", "59m"),
        ("SluiceReleaseStuck", [UP, {"series": STUCK, "values": "_x20 1x100"}], "25m", "40m"),
        ("SluiceNoTelemetry", [UP], "11m", "9m"),
        ("SluiceRestarts", [UP, {"series": STARTED, "values": "1x10 2x3 3x3 4x60"}], "20m", "50m"),
        ("SluiceMemoryHigh", [UP, {"series": MEMORY, "values": "300e6x10 450e6x60"}], "30m", "15m"),
    ],
)
def test_an_alert_fires_when_it_should_and_not_before(
    tmp_path: Path, alert: str, series: list[dict[str, str]], fires: str, silent: str
) -> None:
    assert firing(tmp_path, series, fires, alert)
    assert not firing(tmp_path, series, silent, alert)


@pytest.mark.parametrize(
    "alert", ["SluiceDown", "SluiceReleaseStuck", "SluiceNoTelemetry", "SluiceRestarts", "SluiceMemoryHigh"]
)
def test_a_healthy_sluice_is_silent(tmp_path: Path, alert: str) -> None:
    well = [UP, REQUESTS, {"series": STARTED, "values": "1x120"}, {"series": MEMORY, "values": "250e6x120"}]
    assert not firing(tmp_path, [*well, {"series": STUCK, "values": "2x120"}], "110m", alert)
