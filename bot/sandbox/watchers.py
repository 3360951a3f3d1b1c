"""Wakes everybody who follows along; news that comes while one is busy is one waking."""

import asyncio


class Watchers:
    """A set of events, each owned by one follower."""

    def __init__(self) -> None:
        self._events: set[asyncio.Event] = set()
        self.closed = False

    def tell(self) -> None:
        """Something is to be seen."""
        for event in self._events:
            event.set()

    def close(self) -> None:
        """Nothing more comes."""
        self.closed = True
        self.tell()

    def join(self) -> asyncio.Event:
        """A new follower's event."""
        event = asyncio.Event()
        self._events.add(event)
        return event

    def leave(self, event: asyncio.Event) -> None:
        """The follower has gone."""
        self._events.discard(event)
