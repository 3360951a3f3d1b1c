"""`sluice preflight`: the same settings as the bot, tables and JSON, exit codes."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from tests.fakes_mesh import FakeMesh
from tests.fakes_metrics import FakeMetrics
from tests.unit.preflight.days import a_course

PROFILE = """
service: reviews
namespace: shop
metrics:
  errors: {limit: 5%, allowed: +0.1pp, tolerated: +0.5pp}
"""


class Shop(FakeMesh):
    """A cluster that one can start to watch."""

    trouble = ""

    def troubles(self) -> Sequence[str]:
        """Why it does not answer."""
        return [self.trouble] if self.trouble else super().troubles()

    def start(self) -> None:
        """It is watched already."""

    def stop(self) -> None:
        """Nothing runs."""


class Closing(FakeMetrics):
    """Scripted metrics with a door."""

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def metrics(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Closing:
    found = Closing()
    found.courses["errors"] = a_course((0.002, 0.002))
    (tmp_path / "reviews.yaml").write_text(PROFILE)
    monkeypatch.setenv("SLUICE_PROFILES", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr("bot.mesh.kube_api.connect", lambda *_: None)
    monkeypatch.setattr("bot.mesh.istio.IstioMesh", lambda *_, **__: Shop.shop())
    monkeypatch.setattr("bot.metrics.prometheus.PrometheusMetrics", lambda *_: found)
    return found


def run(*words: str) -> Result:
    result = CliRunner().invoke(app, ["preflight", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_gates_stages_and_advice_are_shown(metrics: Closing) -> None:
    done = run("reviews", "v2")
    assert done.exit_code == 0
    assert "Preflight of reviews.shop.svc.cluster.local: v1 -> v2, canary; about 72,000 requests an hour" in done.stdout
    assert "0 of 48 rolled back" in done.stdout
    assert "0 of 24 hours worse" in done.stdout
    assert "5 %" in done.stdout
    assert metrics.pasts[0][0].days == 2


def test_json_is_alone_on_stdout_and_a_version_need_not_be_named(metrics: Closing) -> None:
    done = run("reviews", "--format", "json")
    told = json.loads(done.stdout)
    assert (told["baseline"], told["candidate"], told["requests_per_hour"]) == ("v1", "next", 72_000)
    assert told["gates"][0]["passes"] is True
    assert [stage["share"] for stage in told["stages"]] == [5, 25, 50, 100]
    assert told["stages"][0]["fits"] is True


def test_a_refusal_exits_3(metrics: Closing) -> None:
    done = run("reviews", "v9", "--format", "json")
    assert (done.exit_code, json.loads(done.stdout)["reason_code"]) == (3, "UNKNOWN_VERSION")


def test_a_neighbour_that_is_down_exits_5(metrics: Closing) -> None:
    metrics.trouble = "Prometheus at http://x is unreachable."
    done = run("reviews", "v2")
    assert (done.exit_code, done.stdout, done.stderr) == (5, "", "Prometheus at http://x is unreachable.\n")


def test_a_cluster_that_does_not_answer_exits_5(metrics: Closing, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Shop.shop()
    assert isinstance(silent, Shop)
    silent.trouble = "Kubernetes API has not answered yet."
    monkeypatch.setattr("bot.mesh.istio.IstioMesh", lambda *_, **__: silent)
    monkeypatch.setattr("bot.cli.cluster.PATIENCE", 0.01)
    done = run("reviews")
    assert (done.exit_code, done.stderr) == (5, "Kubernetes API has not answered yet.\n")


def test_wrong_settings_and_profiles_exit_2(metrics: Closing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLUICE_PROMETHEUS_URL", "prometheus:9090")
    assert run("reviews").exit_code == 2
    monkeypatch.setenv("SLUICE_PROMETHEUS_URL", "http://prometheus:9090")
    monkeypatch.setenv("SLUICE_PROFILES", str(tmp_path / "nowhere"))
    done = run("reviews")
    assert (done.exit_code, "is not a directory" in done.stderr) == (2, True)
