"""One story on the running sandbox: people act, the scene waits for what must follow, the report fills."""

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path

from bot.sandbox.cluster.client import VIRTUAL_SERVICES, Document
from bot.sandbox.cluster.shop import SERVICE
from bot.sandbox.mesh.demo import DemoMesh
from bot.sandbox.slack import DriverError
from bot.sandbox.supervisor import Supervisor
from bot.sandbox.tour.channel import APPROVE, CHANNEL, ROLL_BACK, ReleaseThread
from bot.sandbox.tour.report import StageReport, StoryReport
from bot.sandbox.tour.shop import Shop
from bot.sandbox.tour.splits import Splits
from bot.sandbox.tour.told import ClaimSeen, FaultSet, HeadlineChanged, PersonActed, Restored, SplitMoved, Tell

POLL_SECONDS, AGAIN_SECONDS = 0.1, 3.0
HEARD_SECONDS = 60.0
SLOWER = 4  # times as long as a story gives itself it may take on a slow or busy machine
STALE = "already serves"  # the answer about the route that the story before left behind
_CLOCK = re.compile(r"(?: for)? \d+(?:/\d+)? (?:s|min)\b")
END_PHASES = {"complete": "completed", "rolled back": "rolled_back", "stuck": "stuck", "paused": "paused"}


class BrokenError(Exception):
    """An expectation did not hold; the message says which, and what was seen instead."""


class Scene:
    """The stage directions of one story; an async context that keeps the proxy's accounts meanwhile."""

    def __init__(self, supervisor: Supervisor, report: StoryReport, tell: Tell, out: Path) -> None:
        self._supervisor = supervisor
        self._slack = supervisor.slack
        self._mesh = supervisor.live_mesh
        self._tell = tell
        self._out = out
        self._after = f"{time.time():.6f}"
        self._splits = Splits(self._mesh, lambda split: tell(SplitMoved(split)))
        self._following: asyncio.Task[None] | None = None
        self._answered: dict[str, float] = {}
        self._headline = ""
        self._failed_before = 0
        self._fault_at: float | None = None
        self._cause = "fault"
        self._original: Document = {}
        self.report = report
        self.shop = Shop(supervisor)

    async def open(self) -> None:
        """Begin to observe."""
        self._original = await self._route()
        self._failed_before = (await self._mesh.counters())["failed"]
        self._following = asyncio.create_task(self._splits.follow(), name="the proxy's splits")

    async def pictured(self, seconds: float) -> None:
        """Wait until the last stage has its picture too, which follows its message by a moment."""
        stages = sum(1 for one in self.accounts if one.reaches)
        await self.until(lambda: len(self._thread("bob").pictures()) >= stages, seconds, "each stage has a picture")

    async def close(self) -> None:
        """Settle the accounts and keep the pictures."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self._splits.close()
        report, thread = self.report, self._thread("bob")
        report.failed_requests = (await self._mesh.counters())["failed"] - self._failed_before
        report.release = thread.release()
        report.end_phase = _end_phase(thread.headline())
        verdicts = thread.verdicts()
        # The split before the first stage and the one after a rollback are no stages.
        report.stages = [one for one in self._splits.accounts if one.reaches]
        for number, stage in enumerate(report.stages, 1):
            stage.n, stage.verdict = number, verdicts.get(number)
        report.pictures = self._kept(thread)

    async def start(self, user: str, text: str) -> None:
        """Somebody starts a release; once more while the bot has not heard yet that the shop is as new."""
        self._tell(PersonActed(user, text))
        thread, deadline = self._thread(user), time.monotonic() + HEARD_SECONDS
        answers = thread.private_answers()
        while True:
            known = len(answers)
            outcome = await self._slack.command(user, text, CHANNEL)
            if not outcome.acknowledged:
                raise BrokenError(f"`{text}` was not acknowledged: {outcome.error}")
            while thread.root() is None and len(answers) == known and time.monotonic() < deadline:
                await asyncio.sleep(POLL_SECONDS)
                answers = thread.private_answers()
            is_refused = thread.root() is None and len(answers) > known and STALE in answers[-1]
            if not is_refused or time.monotonic() > deadline:
                return

    async def approve_when_asked(self, user: str) -> None:
        """Press the approval button, through its dialog, if there is one that was not pressed a moment ago.

        A question that still stands there then was refused: a look without data came between reading and pressing.
        """
        found, now = self._thread(user).question(), time.monotonic()
        if found is None or now < self._answered.get(found[1], 0.0) + AGAIN_SECONDS:
            return
        message, question = found
        try:
            outcome = await self._slack.click(user, CHANNEL, message["ts"], APPROVE)
        except DriverError:
            # The message changed between reading and pressing; the next turn reads it again.
            return
        if not outcome.acknowledged:
            raise BrokenError(f"{user}'s approval was not acknowledged: {outcome.error}")
        self._answered[question] = now
        if self._splits.accounts:
            self._splits.accounts[-1].approved_by = user
        self._tell(PersonActed(user, "Approve"))

    async def fault(self, version: str, *, error_rate: float) -> None:
        """Make a version fail from now on."""
        await self._mesh.set_knob(version, error_rate=error_rate)
        self._fault_at = time.monotonic()
        self._tell(FaultSet(version, f"{error_rate:.0%} of requests fail"))

    async def roll_back(self, user: str) -> None:
        """Press the button that takes everything back, through its dialog."""
        root = self._thread(user).root()
        if root is None:
            raise BrokenError("there is no release to take back")
        self._fault_at, self._cause = time.monotonic(), "click"
        self._tell(PersonActed(user, "Roll back"))
        outcome = await self._slack.click(user, CHANNEL, root["ts"], ROLL_BACK)
        if not outcome.acknowledged:
            raise BrokenError(f"{user}'s rollback was not acknowledged: {outcome.error}")

    async def restored(self, seconds: float) -> None:
        """Wait until the proxy sends nothing to v2 any more, no copies either."""
        await self.until(lambda: not self._splits.reaches, seconds, "the proxy sends nothing to v2 any more")
        if self._fault_at is not None:
            self.report.fault_to_restored_s = round(time.monotonic() - self._fault_at, 2)
            self._tell(Restored(self.report.fault_to_restored_s, self._cause))

    async def untouched(self) -> None:
        """The route is what it was when the story began: nothing that was added is left."""
        present = await self._route()
        for part in ("spec", "annotations"):
            if present[part] != self._original[part]:
                raise BrokenError(f"the route's {part} are not what they were: {present[part]}")

    async def until(self, holds: Callable[[], bool], seconds: float, expectation: str, approver: str = "") -> None:
        """Wait for something, an approver saying yes meanwhile; BrokenError when the time is over."""
        deadline = time.monotonic() + SLOWER * seconds
        while not holds():
            if self._following is not None and self._following.done():
                self._following.result()
            if time.monotonic() > deadline:
                raise BrokenError(f"within {SLOWER * seconds:g} s {expectation}; {self._seen()}")
            if approver:
                await self.approve_when_asked(approver)
            self._notice()
            await asyncio.sleep(POLL_SECONDS)
        self._notice()

    def headline_says(self, words: str) -> bool:
        """Whether the root message's first line has these words."""
        return words in self._thread("bob").headline()

    @property
    def asked(self) -> dict[str, int]:
        """The split the proxy serves."""
        return self._splits.asked

    @property
    def reaches(self) -> bool:
        """Whether v2 gets any request: by weight, by a match, or as a copy."""
        return self._splits.reaches

    @property
    def present(self) -> StageReport | None:
        """What the proxy serves now."""
        return self._splits.accounts[-1] if self._splits.accounts else None

    @property
    def accounts(self) -> list[StageReport]:
        """Every split so far."""
        return self._splits.accounts

    @property
    def mesh(self) -> DemoMesh:
        """The running mesh."""
        return self._mesh

    def seen(self, text: str) -> None:
        """Tell something that was promised and has been seen true."""
        self._tell(ClaimSeen(text))

    def card(self) -> str:
        """All that the release's live message says, as one text."""
        return self._thread("bob").card()

    def said(self, words: str) -> str:
        """The newest line below the release's message that has these words; empty when there is none."""
        return self._thread("bob").said(words)

    def told(self, user: str) -> str:
        """The last that only this person was told in the story."""
        return next(iter(reversed(self._thread(user).private_answers())), "")

    def was_refused(self, user: str, *codes: str) -> bool:
        """Whether the last that this person was told names one of these reason codes."""
        return any(code in self._thread(user).last_private() for code in codes)

    async def ask(self, user: str, text: str) -> str:
        """Somebody types a command that is answered in private; the answer."""
        self._tell(PersonActed(user, text))
        known, deadline = len(self._thread(user).private_answers()), time.monotonic() + HEARD_SECONDS
        outcome = await self._slack.command(user, text, CHANNEL)
        while len(self._thread(user).private_answers()) == known:
            if not outcome.acknowledged or time.monotonic() > deadline:
                raise BrokenError(f"`{text}` was not answered: {outcome.error}")
            await asyncio.sleep(POLL_SECONDS)
        return self.told(user)

    async def press_in_private(self, user: str, action: str) -> None:
        """Press a button of the last private answer that has it, through its dialog."""
        ts = self._thread(user).private_button(action)
        if ts is None:
            raise BrokenError(f"{user} was not offered {action}: {self.told(user)}")
        self._tell(PersonActed(user, "Do it"))
        outcome = await self._slack.click(user, CHANNEL, ts, action)
        if not outcome.acknowledged:
            raise BrokenError(f"{user}'s {action} was not acknowledged: {outcome.error}")

    async def warned(self, user: str, action: str) -> str:
        """What a button of the release's message asks back before it does anything."""
        root = self._thread(user).root()
        if root is None:
            raise BrokenError("there is no release")
        outcome = await self._slack.click(user, CHANNEL, root["ts"], action, confirmed=False)
        return str((outcome.confirm or {}).get("text", {}).get("text", ""))

    async def _route(self) -> Document:
        found = await self.shop.get(VIRTUAL_SERVICES, SERVICE)
        return {"spec": found["spec"], "annotations": found["metadata"].get("annotations", {})} if found else {}

    def _thread(self, user: str) -> ReleaseThread:
        return ReleaseThread(self._slack, user, self._after)

    def _notice(self) -> None:
        # Seconds that pass in the first line are no news.
        headline = _CLOCK.sub("", self._thread("bob").headline()).strip(" ·")
        if headline and headline != self._headline:
            self._headline = headline
            self._tell(HeadlineChanged(headline))

    def _seen(self) -> str:
        headline = self._thread("bob").headline() or "there is no release"
        private = self._thread("alice").private_answers()
        told = f"; alice was told: {private[-1]}" if private else ""
        return f"the channel says: {headline}; the proxy serves {self.asked}{told}"

    def _kept(self, thread: ReleaseThread) -> list[str]:
        paths = []
        for number, (name, content) in enumerate(thread.pictures(), 1):
            path = self._out / f"{self.report.name}-{number}-{Path(name).name}"
            path.write_bytes(content)
            paths.append(str(path))
        return paths


def _end_phase(headline: str) -> str | None:
    for words, phase in END_PHASES.items():
        if words in headline:
            return phase
    return None
