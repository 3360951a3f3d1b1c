"""Which split the proxy serves, and what it counted under each: the proxy's counters alone."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from bot.sandbox.cluster.shop import SERVICE
from bot.sandbox.mesh.demo import DemoMesh
from bot.sandbox.route_memory import VERSIONS, Asked, everything_asked
from bot.sandbox.tour.report import StageReport

POLL_SECONDS = 0.05

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
        await self._turn(self._served())
        while True:
            await asyncio.sleep(POLL_SECONDS)
            served = self._served()
            if served != self._present:
                await self._turn(served)

    async def close(self) -> None:
        """Settle the last account."""
        await self._settle()

    def _served(self) -> Asked:
        # Not what was written: requests until the proxy has taken it belong to the old split.
        route = self._mesh.snapshot(1)["served_virtual_services"].get(SERVICE)
        return everything_asked(route) if route else NOTHING

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
