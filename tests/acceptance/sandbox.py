"""A sandbox started by its command, as another program would."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from bot.sandbox.bot_files import PROFILE
from bot.sandbox.ports import free_port
from tests.parts import loopback

COMMAND = (sys.executable, "-m", "bot", "sandbox")
START_SECONDS, STOP_SECONDS = 40.0, 3.0


@dataclass
class Sandbox:
    process: subprocess.Popen[str]
    ready: dict[str, Any] = field(default_factory=dict)

    @property
    def page(self) -> str:
        return str(self.ready["page"])

    def post(self, path: str, **body: object) -> httpx.Response:
        return loopback.post(f"{self.page}{path}", json=body, timeout=10)

    def get(self, path: str) -> Any:
        return loopback.get(f"{self.page}{path}", timeout=10).raise_for_status().json()

    def messages(self, user: str = "bob") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(f"/api/messages?user={user}")["messages"]
        return found

    def asked(self) -> int:
        """Percent that the route asks for v2."""
        percent: int = self.get("/api/state")["mesh"]["asked"]["v2"]
        return percent

    def headline(self) -> str:
        """The first line of the newest release's root message."""
        headers = [_header(one) for one in self.messages() if one["blocks"] and one["thread_ts"] in (None, one["ts"])]
        return next((one for one in reversed(headers) if one), "")

    def profile(self, **changes: Any) -> None:
        """Write the service's profile; the bot reads it again within a second or two."""
        file = Path(self.ready["kubeconfig"]).parent / "profiles" / "reviews.yaml"
        file.write_text(yaml.safe_dump({**PROFILE, **changes}))
        time.sleep(2)

    def until_scraped(self) -> None:
        """Wait until Prometheus knows requests of v1."""
        query = {"query": 'istio_requests_total{destination_version="v1"}'}
        ask = f"{self.ready['prometheus']}/api/v1/query"
        self.until(lambda: bool(httpx.get(ask, params=query, timeout=5).json()["data"]["result"]), 20, "a first scrape")

    def until(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"{what} did not come in {seconds} s; the channel: {self.headline()}"
            time.sleep(0.1)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[str, str]:
        """End it; what it said on stdout and stderr."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=STOP_SECONDS + 2)


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Sandbox]:
    """A sandbox that is ready, and gone afterwards."""
    file = folder / "ready.json"
    command = [*COMMAND, "--no-open", "--ready-file", str(file), "--port", str(free_port()), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder)
    sandbox = Sandbox(process)
    try:
        sandbox.ready = _until_ready(process, file)
        yield sandbox
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=STOP_SECONDS + 2)
            finally:
                process.kill()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def descendants(pid: int) -> set[int]:
    """Every process below this one."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found: set[int] = set()
    while fresh := {child for child, parent in parents.items() if parent in {pid, *found}} - found:
        found |= fresh
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that still run; a zombie does not."""
    return {pid for pid in pids if _runs(pid)}


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _until_ready(process: subprocess.Popen[str], file: Path) -> dict[str, Any]:
    deadline = time.monotonic() + START_SECONDS
    while not file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            _, told = process.communicate()
            raise AssertionError(f"the sandbox did not get ready: {told}")
        time.sleep(0.05)
    read: dict[str, Any] = json.loads(file.read_text())
    return read


def _header(message: dict[str, Any]) -> str:
    return next((str(block["text"]["text"]) for block in message["blocks"] if block["type"] == "header"), "")


def artifacts() -> Path:
    """Where screenshots go."""
    folder = Path(os.environ.get("SLUICE_ARTIFACTS") or Path(__file__).parents[1] / ".out")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
