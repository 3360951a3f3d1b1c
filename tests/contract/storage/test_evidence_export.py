"""`sluice evidence`: every look as JSON, as a spreadsheet's lines and as a table."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from storage.database import Database
from strategies.verdicts import Arm, Outcome, Verdict
from tests.builders import NOW, a_reading, a_release, a_target, a_verdict

LOOK = timedelta(seconds=10)
WEIGHED = Verdict(
    "errors", Outcome.WAIT, "+0.1 pp, not sure yet.", unit="ratio", harm_odds=3.5, safe_odds=0.2, needed_requests=1900
)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A database with one release of three looks, the last one without data."""
    url = f"sqlite:///{tmp_path / 'sluice.db'}"
    with Database(url) as database:
        database.migrate()
        with database.transaction() as tx:
            tx.releases.add(a_release("reviews-1"))
            for n in range(2):
                reading = a_reading(NOW + n * LOOK)
                tx.evidence.add("reviews-1", reading.at, 0, reading, (WEIGHED, a_verdict()))
            at = NOW + 2 * LOOK
            silent = replace(a_reading(at), baseline=Arm(), candidate=Arm(), trouble="=Prometheus is down.")
            tx.evidence.add("reviews-1", at, 1, silent, ())
    yield url


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["evidence", *arguments], env={"SLUICE_DATABASE": url, "COLUMNS": "200"})


def test_json_holds_every_look_with_counts_verdicts_and_odds(url: str) -> None:
    told = run(url, "reviews-1", "--format", "json")
    document = json.loads(told.stdout)
    assert (told.exit_code, told.stderr, document["release"]) == (0, "", "reviews-1")
    first, _, silent = document["looks"]
    assert first["baseline"]["requests"] == a_reading(NOW).baseline.requests
    assert list(first["baseline"]["buckets"])[-1] == "+Inf"
    assert [first["verdicts"][0][key] for key in ("harm_odds", "safe_odds", "needed_requests")] == [3.5, 0.2, 1900]
    assert silent["candidate"]["requests"] is None
    assert silent["trouble"] == "=Prometheus is down."


def test_csv_has_a_line_per_look_and_gate_and_no_formula(url: str) -> None:
    lines = list(csv.DictReader(io.StringIO(run(url, "reviews-1", "--format", "csv").stdout)))
    assert [line["gate"] + line["stage"] for line in lines] == ["errors0"] * 4 + ["1"]
    assert [line["outcome"] for line in lines[:2]] == ["wait", "pass"]
    assert lines[0]["harm_odds"] == "3.5"
    assert lines[0]["reason"] == "'+0.1 pp, not sure yet."
    assert lines[-1]["trouble"] == "'=Prometheus is down."


def test_the_table_names_odds_and_reasons(url: str) -> None:
    told = run(url, "reviews-1").stdout
    assert "3.5" in told
    assert "Prometheus is down" in told


def test_an_unknown_release_is_refused_and_one_without_looks_is_empty(url: str) -> None:
    unknown = run(url, "ghost-1", "--format", "json")
    assert (unknown.exit_code, json.loads(unknown.stdout)["reason_code"]) == (3, "UNKNOWN_RELEASE")
    with Database(url) as database, database.transaction() as tx:
        tx.releases.add(a_release("ratings-1", targets=(a_target("ratings"),)))
    empty = run(url, "ratings-1", "--format", "json")
    assert (empty.exit_code, json.loads(empty.stdout)["looks"]) == (0, [])
    assert "SLUICE_EVIDENCE_DAYS" in empty.stderr


def test_a_wrong_database_is_said_so() -> None:
    assert run("nonsense", "reviews-1").exit_code == 2


def test_looks_are_read_in_pages_each_once(url: str) -> None:
    with Database(url) as database, database.reading() as tx:
        assert [look.at for look in tx.evidence.all_looks("reviews-1", page=1)] == [NOW + n * LOOK for n in range(3)]
        assert len(list(tx.evidence.all_looks("reviews-1", page=3))) == 3
