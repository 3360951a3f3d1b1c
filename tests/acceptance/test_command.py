"""The command itself: how it begins, how it ends, what it leaves behind."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.sandbox.ports import free_port
from tests.acceptance.sandbox import COMMAND, Sandbox, alive, descendants, running
from tests.patience import PATIENCE, comes_true


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_banner_says_what_there_is_and_a_signal_ends_it_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with running(tmp_path, "--prometheus", "builtin") as sandbox:
        children, folder = descendants(sandbox.process.pid), Path(sandbox.ready["kubeconfig"]).parent
        assert len(children) >= 8  # five pods of reviews, one of ratings, Envoy, the bot
        sandbox.process.send_signal(number)
        assert sandbox.process.wait(timeout=PATIENCE) == code
        assert sandbox.process.stdout is not None
        told = " ".join(sandbox.process.stdout.read().split())
        assert comes_true(lambda: not alive(children))
        assert not folder.exists()
        assert not (tmp_path / "ready.json").exists()
        assert is_silent(sandbox)
    # The banner names the page, the people and the stand-ins.
    for words in (sandbox.page, "alice", "mallory", "Stand-ins", "built-in evaluator", "/release start reviews v2"):
        assert words in told


def test_a_killed_sandbox_takes_every_child_with_it(tmp_path: Path) -> None:
    with running(tmp_path) as sandbox:
        children = descendants(sandbox.process.pid)
        sandbox.process.kill()
        sandbox.process.wait(timeout=PATIENCE)
        # A child notices by its closed pipe or the kernel's signal, a moment later.
        assert comes_true(lambda: not alive(children))


def test_a_taken_port_that_was_chosen_ends_with_usage_and_says_so(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = str(taken.getsockname()[1])
        done = command(tmp_path, "--no-open", "--port", port)
    assert done.returncode == 2
    assert f"port {port} is taken" in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--tour", "weather"], "there is no tour 'weather'; there is canary"),
        (["weather"], "write --tour before it"),
        (["--out", "pictures"], "--out is for a tour"),
        (["--ready-file", "/nowhere/at/all"], "there is no directory /nowhere/at"),
        (["--prometheus", "thanos"], "'auto', 'real', 'builtin'"),
    ],
)
def test_impossible_options_end_with_usage_and_one_sentence(tmp_path: Path, options: Sequence[str], words: str) -> None:
    done = command(tmp_path, "--no-open", *options)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())


def test_a_prometheus_that_is_not_installed_is_said_with_what_to_do(tmp_path: Path) -> None:
    done = command(tmp_path, "--prometheus", "real", path="/nonexistent")
    assert done.returncode == 5
    assert "install it, or use --prometheus auto" in done.stderr


def test_the_tour_ends_as_told_and_its_report_holds_the_contract(tmp_path: Path) -> None:
    done = command(tmp_path, "--tour", "--out", "pictures", "--format", "json", "--port", str(free_port()))
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"]) == (0, True), done.stderr
    good, failing = report["stories"]
    assert [stage["asked"]["v2"] for stage in good["stages"]] == [5, 25, 50, 100]
    assert [stage["approved_by"] for stage in good["stages"]] == ["bob", "bob", "bob", None]
    assert (good["end_phase"], failing["end_phase"]) == ("completed", "rolled_back")
    assert failing["fault_to_restored_s"] > 0
    for path in (*good["pictures"], *failing["pictures"]):
        assert Path(path).read_bytes().startswith(b"\x89PNG")


def test_the_life_of_a_version_is_told_from_its_image_to_the_old_ones_end_and_back(tmp_path: Path) -> None:
    done = command(tmp_path, "--tour", "life", "--format", "json", "--port", str(free_port()))
    [story] = json.loads(done.stdout)["stories"]
    assert (done.returncode, story.get("broken")) == (0, None), done.stderr
    assert (story["end_phase"], story["failed_requests"]) == ("rolled_back", 0)
    for words in (
        "was made from reviews-v1's",
        "one request to it is under way",
        "No request was under way",
        "/reviews/",
    ):
        assert words in " ".join(done.stderr.split())


def is_silent(sandbox: Sandbox) -> bool:
    """Nothing listens any more where something did."""
    addresses = [str(value) for value in sandbox.ready.values() if str(value).startswith("http://")]
    for address in addresses:
        host, _, port = address.removeprefix("http://").partition(":")
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((host, int(port))) == 0:
                return False
    return bool(addresses)


def command(folder: Path, *options: str, path: str = "") -> subprocess.CompletedProcess[str]:
    environment, line = {**os.environ, "PATH": path} if path else None, [*COMMAND, *options]
    # A tour takes a minute where nothing else runs.
    return subprocess.run(
        line, capture_output=True, text=True, cwd=folder, timeout=4 * PATIENCE, env=environment, check=False
    )
