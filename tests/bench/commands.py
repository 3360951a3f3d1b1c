"""The command line and the sandbox, as a person starts them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import yaml

from tests.bench import fleet
from tests.bench.figures import Figure, load, percentile
from tests.integration.bot_child import inherited
from tests.parts.processes import free_ports

if TYPE_CHECKING:
    from pathlib import Path

TIMES = 5


def measured(folder: Path) -> list[Figure]:
    """Help, a plan of a file, the sandbox, and its tour."""
    return [_command("sluice --help", 0.5, "--help"), _plan(folder), _sandbox(folder), *_tour(folder)]


def _command(name: str, budget: float, *words: str) -> Figure:
    each = [_seconds(*words) for _ in range(TIMES)]
    return Figure(name, percentile(each, 0.5), "s", budget, f"median of {TIMES}; slowest {max(each):.2f}; {load()}")


def _plan(folder: Path) -> Figure:
    rule = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "reviews", "namespace": fleet.NAMESPACE},
        "spec": {
            "host": "reviews",
            "subsets": [{"name": version, "labels": {"version": version}} for version in ("v1", "v2")],
        },
    }
    file = folder / "shop.yaml"
    file.write_text(yaml.safe_dump_all([fleet.route("reviews"), rule]))
    words = ("--file", str(file), "--service", "reviews", "--baseline", "v1", "--candidate", "v2")
    return _command("sluice plan --file", 1, "plan", *words)


def _seconds(*words: str) -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "bot", *words], env=inherited(), capture_output=True, check=True, timeout=60)
    return time.monotonic() - began


def _sandbox(folder: Path) -> Figure:
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "bot", "sandbox", "--no-open", "--port", str(free_ports(1)[0])]
    began = time.monotonic()
    with (folder / "sandbox.log").open("wb") as log:
        process = subprocess.Popen([*command, "--ready-file", str(ready)], env=inherited(), stdout=log, stderr=log)
    try:
        while not ready.exists():
            if process.poll() is not None or time.monotonic() - began > 60:
                raise RuntimeError(f"no sandbox: {(folder / 'sandbox.log').read_text()[-1000:]}")
            time.sleep(0.02)
        return Figure("sandbox ready", time.monotonic() - began, "s", 6, load())
    finally:
        process.terminate()
        process.wait(10)


def _tour(folder: Path) -> list[Figure]:
    port, out = str(free_ports(1)[0]), folder / "tour"
    command = [sys.executable, "-m", "bot", "sandbox", "--tour", "--port", port, "--out", str(out), "--format", "json"]
    began = time.monotonic()
    done = subprocess.run(command, env=inherited(), capture_output=True, text=True, timeout=300, check=False)
    seconds = time.monotonic() - began
    if done.returncode != 0:
        raise RuntimeError(f"the tour ended with {done.returncode}: {done.stderr[-2000:]}")
    stories = json.loads(done.stdout)["stories"]
    back = [each["fault_to_restored_s"] for each in stories if each["fault_to_restored_s"] is not None]
    return [
        Figure("--tour", seconds, "s", 90, load()),
        *(Figure("tour: fault set -> baseline restored", each, "s", None) for each in back),
    ]
