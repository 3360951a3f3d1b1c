"""`sluice replay --prometheus` on the sandbox's evaluator and on a real Prometheus."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from bot.cli import app
from tests.contract.metrics.service import Scraped, at, durations, requests

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.prometheus.pair import Pair

LOOKS = range(0, 601, 15)
EDGES = {"100": 0.9, "250": 0.97, "500": 0.99, "+Inf": 1.0}


def samples(per_look: int) -> dict[float, float]:
    return {t: 100 + per_look * t // 15 for t in LOOKS}


def a_release(pair: Pair, *reporters: str, slow: float = 1.0) -> None:
    """Ten minutes of v1 and v2 side by side; v2 answers 2 % of its requests with 503, as these reporters tell."""
    scraped = Scraped(pair)
    for version, per_look, bad in (("v1", 900, 0), ("v2", 300, 6)):
        for reporter in reporters:
            labels = {"reporter": reporter, "instance": "gw-1" if reporter == "source" else f"{version}-1"}
            for code, count in (("200", per_look - bad), ("503", bad)):
                scraped.add(requests(version, code, **labels), samples(count))
            for edge, share in EDGES.items():
                part = share if version == "v1" or edge == "+Inf" else share * slow
                scraped.add(durations(version, edge, **labels), samples(round(per_look * part)))
    scraped.store()


def replayed(url: str, *options: str) -> tuple[list[dict[str, object]], str]:
    times = ("--start", at(0).isoformat(), "--end", at(585).isoformat(), "--look", "15")
    versions = ("--service", "reviews", "--namespace", "shop", "--baseline", "v1", "--candidate", "v2")
    done = CliRunner().invoke(app, ["replay", "--prometheus", url, *versions, *times, *options])
    assert done.exit_code == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.mark.parametrize(
    ("reporters", "told"),
    [
        (("source", "destination"), ""),
        (("destination",), "reporter=both does not tell both errors and latency; destination does and is read.\n"),
        (("source",), "reporter=both does not tell both errors and latency; source does and is read.\n"),
    ],
    ids=lambda each: "+".join(each) if isinstance(each, tuple) else "",
)
def test_errors_and_latency_are_both_read_whoever_reports_them(
    empty_pair: Pair, reporters: tuple[str, ...], told: str
) -> None:
    a_release(empty_pair, *reporters)
    for client in (empty_pair.built, empty_pair.real):
        answers, said = replayed(str(client.base_url))
        assert said == told
        assert not [answer for answer in answers if "No data" in str(answer["reason"])]
        assert answers[-1]["decision"] == "roll_back"
        assert str(answers[-1]["reason"]).startswith("Roll back at 25 %: errors 2.0 % vs 0 % (+2.0 pp)")


def test_a_slow_candidate_is_rolled_back_by_its_latency_and_drawn(empty_pair: Pair, tmp_path: Path) -> None:
    a_release(empty_pair, "source", "destination", slow=0.6)
    for client in (empty_pair.built, empty_pair.real):
        answers, said = replayed(str(client.base_url), "--picture", str(tmp_path / "looks.png"))
        assert " slower than " in str(answers[-1]["reason"])
        assert answers[-1]["decision"] == "roll_back"
        assert "reviews-v2: ROLL BACK." in said
        assert (tmp_path / "looks.png").read_bytes().startswith(b"\x89PNG")


def test_the_reporter_may_be_named(empty_pair: Pair) -> None:
    a_release(empty_pair, "source", "destination")
    for client in (empty_pair.built, empty_pair.real):
        assert replayed(str(client.base_url), "--reporter", "source") == replayed(str(client.base_url))
