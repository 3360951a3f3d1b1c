"""The callers: a paced, open-loop load of distinguishable people."""

import asyncio
import random
import time
from collections import deque
from dataclasses import dataclass, field

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=15)
LOAD = 100.0  # requests a second
# A machine that cannot serve the rate gets fewer requests, not a queue in which they grow too old to be answered.
AT_ONCE = 500
KEPT_SECONDS = 300
PEOPLE = 200
INTERNAL_SHARE, BETA_SHARE, STARS_SHARE = 0.1, 0.2, 0.03
FAULT = "failed"


@dataclass
class Tally:
    """What callers got: answers by version, and failures whoever caused them."""

    sent: int = 0
    failed: int = 0
    versions: dict[str, int] = field(default_factory=dict)

    def note(self, version: str, *, failed: bool) -> None:
        """Count one finished request."""
        self.sent += 1
        self.failed += failed
        self.versions[version] = self.versions.get(version, 0) + 1


class Load:
    """Sends `rate` requests a second to a service, whether earlier ones have been answered or not.

    Who would be one more than `at_once` waits until another has an answer.
    One in ten callers is internal (header `x-user-group: internal`), two in ten test what is new (`x-beta: 1`); each
    has a cookie with a name of their own, so that routes can tell them apart.
    """

    def __init__(self, url: str, host: str, *, rate: float = LOAD, seed: int = 0) -> None:
        self._url = url
        self._host = host
        self.rate = rate
        self.at_once = AT_ONCE
        self._random = random.Random(seed)  # noqa: S311 - who calls next is no secret
        self._flying: set[asyncio.Task[None]] = set()
        self._pacer: asyncio.Task[None] | None = None
        self._session: aiohttp.ClientSession | None = None
        self._seconds: deque[tuple[int, Tally]] = deque(maxlen=KEPT_SECONDS)
        self.total = Tally()

    async def start(self) -> None:
        """Begin to send."""
        connector = aiohttp.TCPConnector(limit=0)
        # A dummy jar: the callers bring their own cookies.
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        self._pacer = asyncio.create_task(self._pace(self._session), name="load")

    async def stop(self) -> None:
        """Stop sending and drop what is unanswered."""
        tasks = [*self._flying, *([self._pacer] if self._pacer else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def seconds(self, last: int) -> list[dict[str, object]]:
        """The last seconds as callers saw them, oldest first."""
        return [{"at": at, **vars(tally)} for at, tally in list(self._seconds)[-last:]]

    async def _pace(self, session: aiohttp.ClientSession) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if self.rate <= 0:
                await asyncio.sleep(0.1)
                due = loop.time()
                continue
            due += 1 / self.rate
            delay = due - loop.time()
            if delay > 0:
                await asyncio.sleep(delay)
            elif delay < -1:
                # The machine stood still: a burst to catch up would be a load nobody asked for.
                due = loop.time()
            if len(self._flying) >= self.at_once:
                await asyncio.wait(self._flying, return_when=asyncio.FIRST_COMPLETED)
            task = asyncio.create_task(self._call(session))
            self._flying.add(task)
            task.add_done_callback(self._flying.discard)

    async def _call(self, session: aiohttp.ClientSession) -> None:
        path, headers = self._request()
        version, failed = FAULT, True
        try:
            async with session.get(self._url + path, headers=headers, timeout=TIMEOUT) as answer:
                await answer.read()
                failed = answer.status >= 500
                version = answer.headers.get("x-version", FAULT)
        except (aiohttp.ClientError, TimeoutError, OSError):
            failed = True
        if not path.startswith("/reviews/stars"):
            self._note(version, failed=failed)

    def _request(self) -> tuple[str, dict[str, str]]:
        person = self._random.randrange(PEOPLE)
        headers = {"Host": self._host, "Cookie": f"user=person-{person}"}
        if person < PEOPLE * INTERNAL_SHARE:
            headers["x-user-group"] = "internal"
        elif person < PEOPLE * (INTERNAL_SHARE + BETA_SHARE):
            headers["x-beta"] = "1"
        topic = "/reviews/stars" if self._random.random() < STARS_SHARE else f"/reviews/{person % 20}"
        return topic, headers

    def _note(self, version: str, *, failed: bool) -> None:
        now = int(time.time())
        if not self._seconds or self._seconds[-1][0] != now:
            self._seconds.append((now, Tally()))
        self._seconds[-1][1].note(version, failed=failed)
        self.total.note(version, failed=failed)
