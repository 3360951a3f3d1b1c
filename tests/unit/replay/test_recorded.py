"""Readings of a Prometheus as lines, and the options that go with them."""

import json
import math

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.replay.recorded import lines, share
from bot.replay.session import Session
from strategies.verdicts import Arm
from tests.builders import NOW
from tests.unit.gates.looks import a_look, an_arm, silent
from tests.unit.replay.lines import fed

PAST = [a_look(-n, an_arm(5700, 6), Arm()) for n in range(60, 0, -1)]
TIMES = ["--start", "2026-01-01T00:00:00Z", "--end", "2026-01-01T00:01:00Z"]
SERVICE = ["--service", "reviews", "--namespace", "shop", "--baseline", "v1", "--candidate", "v2"]


def test_readings_are_judged_as_lines_are() -> None:
    looks = [a_look(n, an_arm(950, 1), an_arm(50, 20)) for n in range(1, 4)]
    answers, trouble = fed(Session(), *lines("reviews-v2", NOW, PAST, looks))
    assert not trouble
    assert answers[-1]["decision"] == "roll_back"
    assert answers[0]["t"] == 10


def test_a_look_without_data_is_a_lost_scrape() -> None:
    *_, line = lines("a", NOW, [], [silent(1)])
    assert json.loads(line)["candidate"] == {"errors": None, "latency_p99": None}


def test_the_weight_is_the_share_that_was_measured() -> None:
    looks = [a_look(1, an_arm(750), an_arm(250)), silent(2)]
    assert share(looks) == 0.25
    _, *written = lines("a", NOW, [], looks)
    assert [json.loads(line)["weight"] for line in written] == [25, 25]


def test_counts_that_seem_to_fall_are_made_cumulative_again() -> None:
    torn = Arm(10.0, 0.0, {50.0: 8.0, 100.0: 7.0, math.inf: 10.0})
    line = json.loads(list(lines("a", NOW, [], [a_look(1, torn, torn)]))[1])
    assert line["baseline"]["latency_p99"] == {"le": [50.0, 100.0, "+Inf"], "counts": [8, 8, 10]}


@pytest.mark.parametrize(
    ("options", "code", "why"),
    [
        ([], 2, "Name a file of looks"),
        (["x.jsonl", "--prometheus", "http://127.0.0.1:1"], 2, "Name a file of looks"),
        (["--prometheus", "http://127.0.0.1:1", "--service", "reviews"], 2, "--namespace, --baseline"),
        (["--prometheus", "http://127.0.0.1:1", *SERVICE, "--start", "noon", "--end", "one"], 2, "is no time"),
        (["--prometheus", "http://127.0.0.1:1", *SERVICE, *TIMES[2:], "--start", "2026-01-02"], 2, "before --end"),
        (["--prometheus", "http://127.0.0.1:1", *SERVICE, *TIMES], 5, "is unreachable"),
    ],
)
def test_what_cannot_be_read_is_said_and_has_its_exit_code(options: list[str], code: int, why: str) -> None:
    result = CliRunner().invoke(app, ["replay", *options])
    assert result.exit_code == code
    assert why in result.stderr


def test_every_line_of_a_long_silence_is_still_answered() -> None:
    looks = [silent(n) for n in range(1, 5)]
    answers, _ = fed(Session(), *lines("a", NOW, PAST, looks))
    assert [answer["verdict"] for answer in answers] == ["wait"] * 4
