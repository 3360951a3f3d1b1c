"""`sluice replay`: files, pipes, exit codes, state."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from tests.patience import PATIENCE
from tests.unit.replay.lines import config, look


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: bytes
    stderr: bytes


def run(*arguments: object, stdin: bytes = b"") -> Done:
    result = CliRunner().invoke(app, ["replay", *map(str, arguments)], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return Done(result.exit_code, result.stdout_bytes, result.stderr_bytes)


def text(*lines: object) -> bytes:
    return b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines)


def test_a_slow_pipe_gets_its_answer_at_once() -> None:
    command = [sys.executable, "-m", "bot", "replay", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for t in (10, 20, 30):
            process.stdin.write(text(*([config()] if t == 10 else []), look(t)))
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["t"] == t
        process.stdin.close()
        assert json.loads(process.stdout.readline())["decision"] == "hold"
        assert process.wait(PATIENCE) == 0


def test_a_file_is_judged_whatever_is_decided_and_the_last_line_may_lack_its_end(tmp_path: Path) -> None:
    file = tmp_path / "looks.jsonl"
    file.write_bytes(text(config(), *(look(10 * n, (950, 0), (50, 30)) for n in range(1, 4))).rstrip(b"\n"))
    done = run(file)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, answers[-1]["decision"], done.stderr) == (0, "roll_back", b"")


def test_a_bad_line_exits_2_after_the_good_lines_were_answered() -> None:
    done = run("-", stdin=text(config(), look(10), b"{nonsense\n", look(20)))
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 1
    assert b"line 3: broken JSON" in done.stderr
    assert b"Traceback" not in done.stderr


def test_two_runs_with_a_state_answer_like_one(tmp_path: Path) -> None:
    lines, state = [config(), *(look(10 * n) for n in range(1, 9))], tmp_path / "state.json"
    whole = run("-", stdin=text(*lines)).stdout.splitlines()
    first = run("-", "--state", state, stdin=text(*lines[:4])).stdout.splitlines()
    second = run("-", "--state", state, stdin=text(*lines[4:])).stdout.splitlines()
    assert first[:-1] + second == whole
    assert "hold" in json.loads(first[-1])["decision"]


RECORDED = [
    "--service",
    "a",
    "--namespace",
    "b",
    "--baseline",
    "v1",
    "--candidate",
    "v2",
    "--start",
    "2026-11-21",
    "--end",
    "2026-11-22",
    "--prometheus",
]


@pytest.mark.parametrize("arguments", [["missing.jsonl"], ["-", "--state", "."], ["--state"], [*RECORDED, "nonsense"]])
def test_what_cannot_be_read_exits_2_with_its_name(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert arguments[-1].encode() in done.stderr


def test_half_a_character_in_a_name_comes_back_as_it_went_in() -> None:
    name = json.loads('"\\ud800"')
    done = run("-", stdin=text(config(name), look(10, release=name)))
    assert json.loads(done.stdout.splitlines()[0])["release"] == name


def test_a_table_is_for_people() -> None:
    done = run("-", "--format", "table", stdin=text(config(), look(10)))
    assert done.stdout.decode().splitlines()[0].startswith("a  10 s  wait  harm 0.")
    assert "HOLD" in done.stdout.decode()
