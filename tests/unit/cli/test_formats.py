"""Every command answers as JSON alone where it is asked to, and never with a traceback."""

import json
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from bot.cli import app

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]  # a group has commands


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_a_format(command: str) -> None:
    found = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert "--format" in found.stdout


def test_what_keeps_the_bot_from_starting_is_json_on_stdout() -> None:
    found = CliRunner().invoke(app, ["run", "--format", "json"], env={"SLUICE_LOOK": "soon"})
    assert found.exit_code == 2
    answer = json.loads(found.stdout)
    assert answer["started"] is False
    assert any(line.startswith("SLUICE_LOOK=soon: ") for line in answer["reasons"])


def test_the_schema_is_json_unless_a_table_is_asked_for() -> None:
    document = json.loads(CliRunner().invoke(app, ["schema"]).stdout)
    assert document["required"] == ["service", "namespace"]
    table = CliRunner().invoke(app, ["schema", "--format", "table"], env={"COLUMNS": "200"}).stdout
    rows = {line.split()[0]: line for line in table.splitlines()[1:]}
    assert rows.keys() == document["properties"].keys()
    assert rows["service"].rstrip().endswith("required")
    assert rows["no_answer"].split()[-4:] == ["after:", "2h,", "then:", "hold"]


@pytest.mark.parametrize("command", ["audit", "evidence"])
def test_a_database_that_is_not_there_is_named_and_not_made(command: str, tmp_path: Path) -> None:
    file = tmp_path / "sluice.db"
    found = CliRunner().invoke(app, [command, "reviews-1"], env={"SLUICE_DATABASE": f"sqlite:///{file}"})
    assert (found.exit_code, file.exists()) == (2, False)
    assert found.stderr == f"SLUICE_DATABASE: there is no file {file}; name the database of the bot.\n"
