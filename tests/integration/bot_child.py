"""The bot as a child process: started by its environment, asked over HTTP, ended or killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from tests.parts import loopback
from tests.parts.processes import free_ports
from tests.patience import PATIENCE, comes_true

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PROGRAM = (sys.executable, "-m", "bot", "run")
# The same where the kubelet's files are a test's own: the library's two paths are the only thing that differs.
REDIRECTED = """
import runpy, sys
from kubernetes.config import incluster_config as pod
pod.SERVICE_TOKEN_FILENAME, pod.SERVICE_CERT_FILENAME = sys.argv[1:3]
sys.argv[1:] = ["run"]
runpy.run_module("bot", run_name="__main__", alter_sys=True)
"""


def inherited() -> dict[str, str]:
    """The test's own environment without anybody's settings or proxies."""
    # Without its compiled modules a start spends most of its time compiling, which no installed bot does.
    foreign = ("SLUICE_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    direct = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    return kept | direct | {"PYTHONFAULTHANDLER": "1"}


class BotChild:
    """One bot with one log; it may be started again after its end."""

    def __init__(self, settings: Mapping[str, str], folder: Path, program: Sequence[str] = PROGRAM) -> None:
        self._program = tuple(program)
        self._port = free_ports(1)[0]
        self.settings = {**settings, "SLUICE_LISTEN": f"127.0.0.1:{self._port}"}
        self._folder = folder
        self._log = folder / "bot.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self.took = timedelta(0)  # its last start: what this machine is capable of just now

    def in_pod(self, token: str, ca_path: Path, server: str) -> None:
        """It gets what the kubelet gives a pod, and no kubeconfig."""
        (self._folder / "token").write_text(token)
        self._program = (sys.executable, "-c", REDIRECTED, str(self._folder / "token"), str(ca_path))
        at = urlsplit(server)
        address = {"KUBERNETES_SERVICE_HOST": str(at.hostname), "KUBERNETES_SERVICE_PORT": str(at.port)}
        self.settings |= address | {"HOME": str(self._folder), "KUBECONFIG": str(self._folder / "nowhere")}
        del self.settings["SLUICE_KUBECONFIG"]

    @property
    def url(self) -> str:
        """Its HTTP door."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """The process that runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """All it said, over all its lives."""
        return self._log.read_text(errors="replace")

    def start(self) -> None:
        """Start it, ready or not."""
        self._started_at = time.monotonic()
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._program, env=inherited() | self.settings, cwd=self._folder, stdout=output, stderr=output
            )

    def readiness(self) -> dict[str, Any] | None:
        """What `/readyz` says; None while nobody answers."""
        try:
            answer: dict[str, Any] = loopback.get(f"{self.url}/readyz", timeout=10).json()
        except httpx.TransportError:
            return None
        return answer

    def is_ready(self) -> bool:
        """Whether it says that it is ready; fails when it runs no more."""
        assert not self.has_ended(), f"the bot ended:\n{self.log[-3000:]}"
        found = self.readiness()
        return found is not None and bool(found["ready"])

    def ready(self, seconds: float = PATIENCE) -> None:
        """Wait until it says it is ready."""
        is_in_time = comes_true(self.is_ready, every=0.05, seconds=seconds)
        assert is_in_time, f"the bot is not ready: {self.readiness()}\n{self.log[-3000:]}"
        self.took = timedelta(seconds=time.monotonic() - self._started_at)

    def has_ended(self) -> bool:
        """Whether it runs no more."""
        return self._process is not None and self._process.poll() is not None

    def kill(self) -> None:
        """SIGKILL: it learns nothing of its end."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE)

    def stop(self) -> int | None:
        """SIGTERM, and its exit code; None when it was never started."""
        if self._process is None:
            return None
        self._process.terminate()
        try:
            return self._process.wait(PATIENCE / 2)
        except subprocess.TimeoutExpired:
            # The fault handler writes every thread's stack into the log.
            self._process.send_signal(signal.SIGABRT)
            self._process.wait(PATIENCE)
            raise AssertionError(f"the bot does not end:\n{self.log[-6000:]}") from None


def refused_start(settings: Mapping[str, str], folder: Path) -> tuple[int, str]:
    """Exit code and last words of a bot that does not start."""
    environment = inherited() | dict(settings)
    done = subprocess.run(
        PROGRAM, env=environment, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    return done.returncode, done.stderr
