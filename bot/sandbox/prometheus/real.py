"""The real Prometheus from PATH, given the same targets by a file it watches."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import yaml

from bot.sandbox.ports import free_port
from bot.sandbox.prometheus.targets import INTERVAL, Targets, current, duration

if TYPE_CHECKING:
    from collections.abc import Callable

_READY_SECONDS = 60.0  # a second, but for a machine that is very slow or busy
_STOP_SECONDS = 2.0
_REFRESH = 0.25
_PR_SET_PDEATHSIG = 1


class PrometheusFailedError(RuntimeError):
    """The binary did not come up; its last lines say why."""


def end_with_parent() -> Callable[[], None] | None:
    """What a child on Linux runs first to end with us; it ends with the *thread* that started it."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def configuration(targets_file: Path, interval: float = INTERVAL) -> str:
    """The configuration: one job, whose targets carry their own job, path and interval."""
    document = {
        "global": {"scrape_interval": duration(interval), "scrape_timeout": duration(interval)},
        "scrape_configs": [
            {
                "job_name": "sandbox",
                "file_sd_configs": [{"files": [str(targets_file)], "refresh_interval": "1s"}],
            }
        ],
    }
    return yaml.safe_dump(document, sort_keys=False)


def command(binary: str, folder: Path, port: int) -> list[str]:
    """The command line of a Prometheus that keeps everything in `folder` and listens on loopback."""
    return [
        binary,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=2h",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
        "--log.level=warn",
    ]


class RealPrometheus:
    """A Prometheus process. Its first scrape comes about 5 s after the start, new targets within 5 s."""

    stand_in: str | None = None

    def __init__(self, targets: Targets = (), *, binary: str = "", port: int = 0) -> None:
        self._targets = targets
        self._binary = binary or shutil.which("prometheus") or "prometheus"
        self._port = port
        self._folder = Path()
        self._process: asyncio.subprocess.Process | None = None
        self._follow: asyncio.Task[None] | None = None
        self._url: str | None = None

    @property
    def url(self) -> str:
        """Where it listens; only once started."""
        if self._url is None:
            raise RuntimeError("Prometheus is not started")
        return self._url

    async def start(self) -> None:
        """Start it and wait until it says it is ready."""
        self._folder = Path(tempfile.mkdtemp(prefix="sluice-prometheus-"))
        self._write_targets()
        (self._folder / "prometheus.yml").write_text(configuration(self._folder / "targets.json"))
        port = self._port or free_port()
        log = self._folder / "prometheus.log"
        with log.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *command(self._binary, self._folder, port),
                stdout=output,
                stderr=output,
                preexec_fn=end_with_parent(),
                start_new_session=True,
            )
        self._url = f"http://127.0.0.1:{port}"
        try:
            await self._until_ready(log)
        except BaseException:
            await self.stop()
            raise
        self._follow = asyncio.create_task(self._follow_targets())

    async def stop(self) -> None:
        """End the process and remove its folder."""
        if self._follow is not None:
            self._follow.cancel()
            await asyncio.gather(self._follow, return_exceptions=True)
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._url is not None:
            shutil.rmtree(self._folder)
            self._url = None

    async def _until_ready(self, log: Path) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            while time.monotonic() < deadline:
                if self._process is None or self._process.returncode is not None:
                    break
                try:
                    async with session.get(f"{self.url}/-/ready") as answer:
                        if answer.status == 200:
                            return
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(0.02)
        raise PrometheusFailedError(f"Prometheus did not get ready: {_last_words(log)}")

    async def _follow_targets(self) -> None:
        while True:
            await asyncio.sleep(_REFRESH)
            self._write_targets()

    def _write_targets(self) -> None:
        path = self._folder / "targets.json"
        text = json.dumps([target.file_sd_entry() for target in current(self._targets)])
        if path.exists() and path.read_text() == text:
            return
        # Renamed into place: Prometheus watches the folder and must not catch half a file.
        fresh = path.with_suffix(".new")
        fresh.write_text(text)
        os.replace(fresh, path)


def _last_words(log: Path) -> str:
    return log.read_text(errors="replace")[-500:]
