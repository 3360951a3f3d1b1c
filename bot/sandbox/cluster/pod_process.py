"""The parent's handle on one pod process."""

import asyncio
import json
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.sandbox.cluster.signals import send

ROOT = Path(__file__).resolve().parents[3]
# -S and -E: no site packages and no environment, which is what makes a pod start in well under 100 ms.
# asyncio takes the absence of ssl calmly, and a loopback pod needs none of its 6 MB.
# The root goes to the end of the path, so that nothing installed beside it can shadow the standard library.
START = (
    f"import sys; sys.modules['ssl'] = None; sys.path.append({str(ROOT)!r}); "
    "from bot.sandbox.cluster.pod import main; main()"
)
START_TIMEOUT = 30.0
LINE_LIMIT = 1 << 16


@dataclass(frozen=True)
class Knobs:
    """How the pods of one version behave.

    `orders` is the part of its orders that is not lost; `dependency` the share of requests that fail because somebody
    whom both versions call does.
    """

    error_rate: float = 0.0
    delay_ms: float = 0.0
    orders: float = 1.0
    dead: bool = False
    dependency: float = 0.0

    def line(self) -> bytes:
        """What a running pod is told."""
        failing = 1 - (1 - self.error_rate) * (1 - self.dependency)
        told = {"error_rate": failing, "delay_ms": self.delay_ms, "orders": self.orders}
        return json.dumps(told).encode() + b"\n"


class PodStartError(Exception):
    """The process ended, or stayed silent, before it told its port."""


@dataclass
class PodProcess:
    """A running pod: its port, and what it last told of its own use."""

    process: asyncio.subprocess.Process
    port: int
    cpu_seconds: float = 0.0
    memory_bytes: int = 0
    _reports: asyncio.Task[None] | None = field(default=None, repr=False)

    @classmethod
    async def start(cls, config: dict[str, Any]) -> "PodProcess":
        """Start a pod and wait for its port; PodStartError when it gives none."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-S", "-E", "-c", START, json.dumps(config)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
        )
        pod = cls(process, 0)
        try:
            async with asyncio.timeout(START_TIMEOUT):
                line = await pod._stdout.readline()
        except TimeoutError:
            line = b""
        except asyncio.CancelledError:
            await pod.kill()
            raise
        if not line:
            await pod.kill()
            raise PodStartError(f"{config['pod']} ended with {process.returncode}")
        pod.port = json.loads(line)["port"]
        pod._reports = asyncio.create_task(pod._listen(), name=f"reports of {config['pod']}")
        return pod

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.returncode is None

    async def turn(self, knobs: Knobs) -> None:
        """Push knobs; a pod that has just died takes none."""
        if self.process.stdin is None or not self.alive:
            return
        with suppress(ConnectionError):
            self.process.stdin.write(knobs.line())
            await self.process.stdin.drain()

    async def wait(self) -> int:
        """The exit code, once it has ended."""
        return await self.process.wait()

    async def stop(self, grace: float) -> None:
        """End it politely, and by force after `grace` seconds."""
        if self.alive:
            send(self.process, signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(grace):
                    await self.process.wait()
        await self.kill()

    async def kill(self) -> None:
        """End it at once and release its pipes."""
        send(self.process, signal.SIGKILL)
        await self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        if self._reports is not None:
            # The pipe is at its end, so the listener ends by itself.
            await self._reports

    @property
    def _stdout(self) -> asyncio.StreamReader:
        stdout = self.process.stdout
        if stdout is None:
            raise RuntimeError("a pod is always started with a pipe")
        return stdout

    async def _listen(self) -> None:
        while line := await self._stdout.readline():
            told = json.loads(line)
            self.cpu_seconds, self.memory_bytes = told["cpu"], told["memory"]
