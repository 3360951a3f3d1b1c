"""Which split the proxy serves, and what it counted under each: the proxy's counters alone."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from bot.sandbox.cluster.shop import SERVICE
from bot.sandbox.mesh.demo import DemoMesh
from bot.sandbox.route_memory import VERSIONS, Asked, everything_asked
from bot.sandbox.tour.report import StageReport

POLL_SECONDS = 0.05
# The proxy takes a split a fifth of a second after it was written; one that was taken already is not waited for long.
TAKEN_POLLS, TAKEN_SECONDS = 60, 0.01

DOORS = ("gateway", "tcp")  # the other ways in, where there are any
NOTHING = Asked(dict.fromkeys(VERSIONS, 0))


def now() -> str:
    """The present moment as text."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Splits:
    """Follows the route of a running mesh and keeps one account per split."""

    def __init__(self, mesh: DemoMesh, moved: Callable[[Asked], None]) -> None:
        self._mesh = mesh
        self._moved = moved
        self._before: dict[str, int] = {}
        self._present = NOTHING
        self.accounts: list[StageReport] = []

    @property
    def asked(self) -> dict[str, int]:
        """The split that the proxy has taken last."""
        return self.accounts[-1].asked if self.accounts else {}

    @property
    def reaches(self) -> bool:
        """Whether v2 gets any request under the split taken last."""
        return self._present.reaches

    async def follow(self) -> None:
        """Keep the accounts until cancelled."""
        await self._turn(self._written())
        while True:
            await asyncio.sleep(POLL_SECONDS)
            written = self._written()
            if written != self._present:
                await self._taken()
                await self._turn(written)

    async def close(self) -> None:
        """Settle the last account."""
        await self._settle()

    def _written(self) -> Asked:
        route = self._mesh.snapshot(1)["virtual_services"].get(SERVICE)
        return everything_asked(route) if route else NOTHING

    async def _taken(self) -> None:
        """Wait until the proxy has taken what was written; requests until then belong to the old split."""
        before = self._accepted()
        for _ in range(TAKEN_POLLS):
            if self._accepted() != before:
                return
            await asyncio.sleep(TAKEN_SECONDS)

    def _accepted(self) -> int:
        accepted: int = self._mesh.snapshot(1)["proxy"]["accepted"]
        return accepted

    async def _turn(self, split: Asked) -> None:
        await self._settle()
        account = StageReport(n=0, asked=dict(split.weights), started=now())
        account.matches, account.mirror = list(split.matches), split.mirror
        self.accounts.append(account)
        self._present = split
        self._moved(split)

    async def _settle(self) -> None:
        counted = await self._mesh.counters()
        if self.accounts:
            last = self.accounts[-1]
            last.requests = {one: counted.get(one, 0) - self._before.get(one, 0) for one in VERSIONS}
            whole = sum(last.requests.values())
            last.share = {"v2": round(last.requests["v2"] / whole, 4)} if whole else {}
            last.mirrored = counted.get("mirrored:v2", 0) - self._before.get("mirrored:v2", 0)
            last.doors = {door: self._through(door, counted) for door in DOORS}
            last.doors = {door: numbers for door, numbers in last.doors.items() if sum(numbers.values())}
            last.ended = now()
        self._before = counted

    def _through(self, door: str, counted: dict[str, int]) -> dict[str, int]:
        keys = {version: f"{door}:{version}" for version in VERSIONS}
        return {version: counted.get(key, 0) - self._before.get(key, 0) for version, key in keys.items()}
