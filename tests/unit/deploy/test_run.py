"""`tests/run` where it is not welcome: no place to write, a broken cache, tools that do not end."""

import importlib.machinery
import importlib.util
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

from tests.patience import PATIENCE, comes_true

RUN = Path(__file__).resolve().parents[2] / "run"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, with a cache of its own."""
    loader = importlib.machinery.SourceFileLoader("tests_run", str(RUN))
    spec = importlib.util.spec_from_loader("tests_run", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "tests_run", module)
    loader.exec_module(module)
    monkeypatch.setattr(module, "CACHE", tmp_path)
    return module


def command(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("name", ["SLUICE_TEST_CACHE", "SLUICE_ARTIFACTS"])
def test_a_folder_that_cannot_be_written_is_named_with_its_setting(name: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "SLUICE_TEST_CACHE": str(tmp_path),
        "SLUICE_ARTIFACTS": str(tmp_path),
        name: "/dev/null/x",
    }
    done = subprocess.run([sys.executable, RUN, "unit"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr == f"cannot write to /dev/null/x: set {name} to a folder of your own\n"


def test_another_home_stands_in_for_one_that_cannot_be_written(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/dev/null/home")
    monkeypatch.setenv("SLUICE_ARTIFACTS", str(tmp_path))
    assert run.settings()["HOME"] == str(tmp_path / "home")
    assert (tmp_path / "home").is_dir()


def test_an_unknown_tier_is_refused_with_those_there_are(run: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run.parse(["units"])
    assert stop.value.code == 2
    assert "no tier 'units'; there are unit, lint, fuzz, contract" in capsys.readouterr().err


def test_what_follows_two_dashes_goes_to_pytest(run: ModuleType) -> None:
    plan = run.parse(["unit", "--", "-k", "watch", "--", "x"])
    assert (plan.tiers, plan.extra) == (["unit"], ["-k", "watch", "--", "x"])


@pytest.mark.parametrize(("is_broken", "good"), [(True, True), (False, False)])
def test_types_are_checked_anew_without_a_cache_that_is_broken(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_broken: bool, good: bool
) -> None:
    for name in ("ruff", "lint-imports", "codespell", "uv"):
        command(tmp_path / name, "exit 0")
    command(
        tmp_path / "mypy",
        'echo asked >> "$0.said"; [ ! -e "$MYPY_CACHE_DIR/broken" ] || exit 2; exit ' + str(int(not good)),
    )
    monkeypatch.setattr(run, "PYTHON", tmp_path / "python")
    cache = tmp_path / "cache"
    (cache / "mypy").mkdir(parents=True)
    if is_broken:
        (cache / "mypy" / "broken").touch()
    monkeypatch.setattr(run, "CACHE", cache)
    plan = run.Plan(["lint"], [], named=True, lanes=1, environment=dict(os.environ), uv=str(tmp_path / "uv"))
    with (tmp_path / "output").open("wb") as output:
        assert run.lint(plan, output).good is good
    assert (tmp_path / "mypy.said").read_text().count("asked") == 1 + is_broken


@pytest.mark.parametrize("deaf", [False, True])
def test_what_does_not_end_when_it_is_interrupted_is_killed(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, deaf: bool
) -> None:
    monkeypatch.setattr(run, "PATIENCE", 0.2 if deaf else PATIENCE)
    script = "import signal, time\n" + f"signal.signal(signal.SIGINT, signal.{'SIG_IGN' if deaf else 'SIG_DFL'})\n"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{script}print('up', flush=True)\ntime.sleep(600)"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    process.stdout.readline()
    codes: list[int] = []
    waiting = threading.Thread(target=lambda: codes.append(run.waited(process)[0]))
    waiting.start()
    assert comes_true(lambda: run.RUNNING)
    run.end_all(0)
    waiting.join(PATIENCE)
    process.stdout.close()
    assert codes == [-9 if deaf else -2]
    assert not run.RUNNING


def test_where_venv_is_cut_out_of_python_pip_alone_makes_uv(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said"
    python = command(tmp_path / "python", f'echo "$@" >> {said}; [ "$2" != venv ]')
    monkeypatch.setattr(sys, "executable", str(python))
    run.make_uv(tmp_path / "uv")
    assert said.read_text().splitlines() == [
        f"-m venv {tmp_path}/uv",
        f"-m pip install -q --target {tmp_path}/uv uv",
    ]


def test_without_any_way_to_make_uv_the_one_line_is_said(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(command(tmp_path / "python", "exit 1")))
    with pytest.raises(run.UnavailableError, match="sudo apt-get install -y python3-venv"):
        run.make_uv(tmp_path / "uv")


def test_a_uv_that_is_broken_is_made_anew(run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    (tmp_path / "uv" / "bin").mkdir(parents=True)
    own = command(tmp_path / "uv" / "bin" / "uv", "exit 1")
    made: list[Path] = []
    monkeypatch.setattr(run, "make_uv", made.append)
    assert run.found_uv() == str(own)
    assert made == [tmp_path / "uv"]
    command(own, "exit 0")
    assert run.found_uv() == str(own)
    assert made == [tmp_path / "uv"]
