"""`sluice replay --picture`: every release of a file drawn, and said in words."""

import io
import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.cli.replay_picture import scene
from bot.metrics.differences import Difference
from bot.replay.session import Session
from tests.unit.replay.lines import COUNTS, GAUGE, LATENCY, config, fed, look, times

ORDERS = {"name": "orders", "kind": "counts", "allowed": 0.01, "tolerated": 0.03, "better": "higher"}
NAMES = ["errors", "latency_p99 above 250 ms", "revenue"]


def drawn(file: Path, *lines: object) -> Result:
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    return CliRunner().invoke(app, ["replay", "-", "--picture", str(file)], input=text)


def test_a_bad_release_is_drawn_and_its_words_say_roll_back(tmp_path: Path) -> None:
    told = drawn(tmp_path / "a.png", config(), *(look(10 * n, (950, 1), (50, 5)) for n in range(1, 20)))
    assert told.exit_code == 0
    assert f"{tmp_path / 'a.png'}: a: ROLL BACK." in told.stderr
    assert "surely not below +" in told.stderr
    content = (tmp_path / "a.png").read_bytes()
    assert Image.open(io.BytesIO(content)).format == "PNG"
    assert len(content) < 60_000


def test_several_releases_have_a_file_each(tmp_path: Path) -> None:
    drawn(tmp_path / "x.png", config("a/1"), config("b"), look(10, release="a/1"), look(10, release="b"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x-a_1.png", "x-b.png"]


def test_a_file_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    told = drawn(tmp_path / "nowhere" / "a.png", config(), look(10))
    assert told.exit_code == 2
    assert "No such file" in told.stderr


def test_each_kind_of_metric_has_its_band_in_its_unit() -> None:
    session = Session(is_pictured=True)
    metrics = [COUNTS, LATENCY, GAUGE, ORDERS]
    past = {"latency_p99": [times(10)] * 60, "revenue": [100 + n % 3 for n in range(200)], "errors": [[6000, 6]] * 60}
    arms = ({"errors": [s, s // 900], "latency_p99": times(s // 90, s), "orders": [s, s // 5]} for s in (9000, 3000))
    baseline, candidate = ({**arm, "revenue": level} for arm, level in zip(arms, (100, 99.5), strict=True))
    looks = [look(10 * n, baseline, candidate, weight=25 if n < 40 else 50) for n in range(1, 91)]
    answers, _ = fed(session, config(metrics=metrics, history=past), *looks)
    shown = scene("a", session.releases["a"], answers[-1])
    panels = [panel for panel in shown.panels if isinstance(panel, Difference)]
    assert [panel.title.split(":")[0] for panel in panels] == [
        "errors",
        "latency_p99 above 250 ms",
        "revenue",
        "orders",
    ]
    assert [panel.words(panel.newest[2]) for panel in panels[2:]] == ["−0.5", "+0.0 pp"]
    assert [panel.left_tolerated is not None for panel in panels] == [True] * 4
    assert [span.name for span in shown.spans] == ["25 %", "50 %"]
    assert len(shown.times) <= 90


@pytest.mark.parametrize("baseline", [None, (0, 0)])
def test_a_release_without_any_data_is_drawn_all_the_same(baseline: object, tmp_path: Path) -> None:
    told = drawn(tmp_path / "a.png", config(metrics=[COUNTS]), look(10, baseline=baseline, candidate=None))
    assert told.exit_code == 0
    assert "no data" in told.stderr


def test_a_release_without_a_look_says_so(tmp_path: Path) -> None:
    assert drawn(tmp_path / "a.png", config()).exit_code == 0
