"""The bot under measurement: a real process between stand-ins that note what reaches them."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml
from aiohttp import web

from bot.sandbox.kubernetes import KubernetesApi, kubeconfig
from bot.sandbox.slack import Settings, SlackStandIn
from tests.bench.process import Process
from tests.bench.recorder import Recorder
from tests.integration.bot_child import PROGRAM, BotChild
from tests.integration.loop_thread import LoopThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from aiohttp.typedefs import Handler

TOKEN = "bench"
CHANNEL = "C0RELEASES"
ROLES = {"releaser": ["U0ALICE"], "approver": ["U0BOB"], "on_call": ["U0CAROL"]}


class CountingSlack(SlackStandIn):
    """A Slack that counts the calls of its Web API."""

    calls = 0

    def application(self) -> web.Application:
        """The same, counting."""
        application = super().application()
        application.middlewares.append(self._count)
        return application

    @web.middleware
    async def _count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.calls += request.path.startswith("/api/")
        return await handler(request)


@dataclass
class Rig:
    """Where everybody is; the bot is not started yet."""

    loop: LoopThread
    folder: Path
    recorder: Recorder
    slack: CountingSlack
    kubernetes: str
    database: str

    def bot(
        self,
        prometheus: str,
        namespace: str,
        profiles: Mapping[str, Mapping[str, object]],
        program: Sequence[str] = PROGRAM,
    ) -> BotChild:
        """A bot that is told where everybody is."""
        (self.folder / "profiles").mkdir(exist_ok=True)
        for name, profile in profiles.items():
            (self.folder / "profiles" / f"{name}.yaml").write_text(yaml.safe_dump(dict(profile)))
        (self.folder / "roles.yaml").write_text(yaml.safe_dump(ROLES))
        (self.folder / "kubeconfig").write_text(yaml.safe_dump(kubeconfig(self.kubernetes, TOKEN)))
        settings = {
            "SLUICE_DATABASE": self.database,
            "SLUICE_PROFILES": str(self.folder / "profiles"),
            "SLUICE_ROLES": str(self.folder / "roles.yaml"),
            "SLUICE_KUBECONFIG": str(self.folder / "kubeconfig"),
            "SLUICE_NAMESPACES": namespace,
            "SLUICE_PROMETHEUS_URL": prometheus,
            "SLUICE_SLACK_API_URL": self.slack.api_url,
            "SLUICE_SLACK_BOT_TOKEN": self.slack.settings.bot_token,
            "SLUICE_SLACK_APP_TOKEN": self.slack.settings.app_token,
            "SLUICE_SLACK_CHANNEL": CHANNEL,
            "SLUICE_PROPAGATION": "200ms",
        }
        return BotChild(settings, self.folder, program)


@contextmanager
def rig(
    folder: Path,
    database: str = "",
    before: Callable[[web.Application], web.Application] = lambda api: api,
) -> Iterator[Rig]:
    """Slack and a recording Kubernetes API, and what `before` puts in front of it.

    The bot's database is a file in the folder where none is named.
    """
    loop, recorder, slack = LoopThread(), Recorder(), CountingSlack(Settings())
    with ExitStack() as stack:
        stack.callback(loop.close)
        loop.run(slack.start())
        stack.callback(lambda: loop.run(slack.stop()))
        url, stop = served(loop, recorder.wrap(before(KubernetesApi(TOKEN).application())))
        stack.callback(stop)
        yield Rig(loop, folder, recorder, slack, url, database or f"sqlite:///{folder / 'sluice.db'}")


def served(loop: LoopThread, application: web.Application) -> tuple[str, Callable[[], None]]:
    """The address of an application on loopback, and how to end it."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)

    async def start() -> str:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    return loop.run(start()), lambda: loop.run(runner.cleanup())


@contextmanager
def running(bot: BotChild) -> Iterator[tuple[float, Process]]:
    """A started and ready bot: seconds it took, and its process."""
    began = time.monotonic()
    bot.start()
    try:
        bot.ready(60)
        seconds = time.monotonic() - began
        yield seconds, Process(bot.pid)
    finally:
        bot.stop()


def until(holds: Callable[[], object], seconds: float, what: str, pause: float = 0.02) -> float:
    """Wait for something; the moment at which it was true."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"within {seconds:g} s {what}")
        time.sleep(pause)
    return time.monotonic()
