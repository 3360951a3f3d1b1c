"""One pod's life: its process started, watched, restarted with backoff, and retired."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bot.sandbox.cluster.client import Document
from bot.sandbox.cluster.pod import LOG_PATH
from bot.sandbox.cluster.pod_process import Knobs, PodProcess, PodStartError
from bot.sandbox.cluster.pod_state import CrashLooping, ImageMissing, PodState, Running, Starting

LOG_TIMEOUT = aiohttp.ClientTimeout(total=2)
FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 8.0
# A pod that ran this long has recovered; its next crash starts the backoff anew.
RECOVERED_AFTER = 20.0


@dataclass
class Replica:
    """A pod of ours. `changed` is called after each change of `state`."""

    owner: str
    template: str
    document: Document
    config: dict[str, Any]
    changed: Callable[[], None]
    knobs: Knobs = field(default_factory=Knobs)
    state: PodState = field(default_factory=Starting)
    restarts: int = 0
    process: PodProcess | None = None
    life: asyncio.Task[None] | None = None
    written: tuple[PodState, int] | None = None
    was_seen: bool = False
    _revived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        """The pod's name."""
        name: str = self.document["metadata"]["name"]
        return name

    @property
    def labels(self) -> dict[str, str]:
        """The pod's labels."""
        labels: dict[str, str] = self.document["metadata"]["labels"]
        return labels

    @property
    def ready(self) -> bool:
        """Whether it answers requests."""
        return isinstance(self.state, Running)

    @property
    def is_known_ready(self) -> bool:
        """Whether the API server has been told that it answers: only then may others rely on it."""
        return self.ready and self.written is not None and isinstance(self.written[0], Running)

    async def live(self) -> None:
        """Run, and run again after each crash, until cancelled."""
        image: str = self.document["spec"]["containers"][0]["image"]
        if image.endswith(":missing"):
            self._enter(ImageMissing())
            return
        self.config["crash"] = image.endswith(":crash")
        pause = FIRST_BACKOFF
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            code = await self._run()
            if loop.time() - began > RECOVERED_AFTER:
                pause = FIRST_BACKOFF
            self.restarts += 1
            self._enter(CrashLooping(code))
            if self.knobs.dead:
                await self._revived.wait()
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_BACKOFF)

    async def turn(self, knobs: Knobs) -> None:
        """Take knobs: a dead one ends the process at once, a revived one starts it at once."""
        self.knobs = knobs
        if knobs.dead:
            self._revived.clear()
            if self.process is not None:
                await self.process.kill()
        else:
            self._revived.set()
            if self.process is not None:
                await self.process.turn(knobs)

    async def access_log(self) -> str | None:
        """The last lines of its sidecar's access log; None while it does not answer."""
        if not self.ready:
            return None
        try:
            url = f"http://127.0.0.1:{self.config['port']}{LOG_PATH}"
            async with aiohttp.ClientSession(timeout=LOG_TIMEOUT) as session, session.get(url) as answer:
                return await answer.text()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    async def end(self, grace: float) -> None:
        """End its life and its process."""
        if self.life is not None:
            self.life.cancel()
            await asyncio.gather(self.life, return_exceptions=True)
        if self.process is not None:
            await self.process.stop(grace)
            self.process = None

    async def _run(self) -> int:
        if self.knobs.dead:
            return 137
        try:
            self.process = await PodProcess.start(self.config)
        except PodStartError:
            return 1
        # A container that restarts keeps its pod's address; so does this one while its port is free.
        self.config["port"] = self.process.port
        await self.process.turn(self.knobs)
        self._enter(Running(self.process.port))
        code = await self.process.wait()
        await self.process.kill()
        self.process = None
        return code if code >= 0 else 128 - code

    def _enter(self, state: PodState) -> None:
        self.state = state
        self.changed()
