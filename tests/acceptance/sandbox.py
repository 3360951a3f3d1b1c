"""A sandbox started by its command, as another program would."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import yaml

from bot.sandbox.bot_files import PROFILE
from bot.sandbox.ports import free_port
from tests.parts import loopback
from tests.patience import PATIENCE, comes_true

COMMAND = (sys.executable, "-m", "bot", "sandbox")


@dataclass
class Sandbox:
    process: subprocess.Popen[str]
    ready: dict[str, Any] = field(default_factory=dict)

    @property
    def page(self) -> str:
        return str(self.ready["page"])

    def post(self, path: str, **body: object) -> httpx.Response:
        return loopback.post(f"{self.page}{path}", json=body)

    def get(self, path: str) -> Any:
        return loopback.get(f"{self.page}{path}").raise_for_status().json()

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

    def newest(self) -> str:
        """The id of the newest release that anybody was told of."""
        return f"reviews-{max(int(number) for number in re.findall(r'reviews-([0-9]+)', json.dumps(self.messages())))}"

    def looks(self) -> list[dict[str, Any]]:
        """Every look at the newest release, as `sluice evidence` tells them."""
        environment = {**os.environ, "SLUICE_DATABASE": f"sqlite:///{self._folder / 'sluice.db'}"}
        command = [sys.executable, "-m", "bot", "evidence", self.newest(), "--format", "json"]
        told = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=True)
        found: list[dict[str, Any]] = json.loads(told.stdout)["looks"]
        return found

    @property
    def _folder(self) -> Path:
        return Path(self.ready["kubeconfig"]).parent

    def profile(self, **changes: Any) -> None:
        """Write the service's profile, as a whole: whoever asks from now on is answered by it."""
        file = self._folder / "profiles" / "reviews.yaml"
        draft = file.with_suffix(".draft")
        draft.write_text(yaml.safe_dump({**PROFILE, **changes}))
        draft.replace(file)

    def until_scraped(self) -> None:
        """Wait until Prometheus knows requests of v1."""
        query = {"query": 'istio_requests_total{destination_version="v1"}'}
        ask = f"{self.ready['prometheus']}/api/v1/query"
        asked = partial(loopback.get, ask, params=query)
        self.until(lambda: bool(asked().json()["data"]["result"]), "a first scrape")

    def until(self, holds: Callable[[], bool], what: str) -> None:
        assert comes_true(holds, every=0.1), f"{what} did not come; the channel: {self._said()}"

    def _said(self) -> str:
        texts = [json.dumps(one["blocks"], ensure_ascii=False) for one in self.messages() if one["blocks"]]
        return "\n".join((self.headline(), *texts[-2:]))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[str, str]:
        """End it; what it said on stdout and stderr."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=PATIENCE)


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
                process.wait(timeout=PATIENCE)
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
    comes_true(lambda: file.exists() or process.poll() is not None, every=0.05)
    if not file.exists():
        process.kill()
        _, told = process.communicate()
        raise AssertionError(f"the sandbox did not get ready: {told}")
    read: dict[str, Any] = json.loads(file.read_text())
    return read


def _header(message: dict[str, Any]) -> str:
    return next((str(block["text"]["text"]) for block in message["blocks"] if block["type"] == "header"), "")


def artifacts() -> Path:
    """Where screenshots go."""
    folder = Path(os.environ.get("SLUICE_ARTIFACTS") or Path(__file__).parents[1] / ".out")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
