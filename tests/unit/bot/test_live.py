"""Cards move between decisions, oldest first, at a pace, and trouble costs one picture of progress."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from bot.errors import Fault, Transient
from bot.live import LiveCards
from strategies.effects import RefreshCard, Urgency
from strategies.release import Phase, Release
from tests.patience import PATIENCE, comes_true
from tests.unit.core.events_of import in_phase


class Screen:
    """Remembers which cards were refreshed; the first of them may fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.shown: list[str] = []
        self.moments: list[float] = []
        self.enough = threading.Semaphore(0)
        self._error = error

    def __call__(self, effect: RefreshCard) -> None:
        assert effect.urgency is Urgency.PROGRESS
        self.shown.append(effect.release)
        self.moments.append(time.monotonic())
        self.enough.release()
        error, self._error = self._error, None
        if error:
            raise error

    def wait_for(self, count: int) -> None:
        """Until so many more cards were refreshed."""
        assert all(self.enough.acquire(timeout=PATIENCE) for _ in range(count))


@contextmanager
def live(screen: Screen, pace: float = 0.01) -> Iterator[LiveCards]:
    """Cards that move at this pace."""
    cards = LiveCards(screen, timedelta(seconds=pace))
    cards.start()
    try:
        yield cards
    finally:
        cards.stop()


def named(id: str, phase: Phase = Phase.OBSERVING) -> Release:
    """A release of this id."""
    return replace(in_phase(phase), id=id)


def test_the_card_that_waits_longest_comes_first() -> None:
    screen = Screen()
    with live(screen) as cards:
        cards.mark([named("a-1"), named("b-1"), named("c-1")])
        screen.wait_for(3)
    assert screen.shown == ["a-1", "b-1", "c-1"]


def test_a_card_that_is_marked_often_is_refreshed_once_per_pace() -> None:
    screen, pace = Screen(), 0.2
    with live(screen, pace) as cards:

        def is_shown_thrice() -> bool:
            cards.mark([named("a-1")])
            return len(screen.shown) >= 3

        assert comes_true(is_shown_thrice, every=0.001)
    assert all(later - earlier > 0.9 * pace for earlier, later in pairwise(screen.moments))
    assert screen.shown == ["a-1"] * len(screen.shown)


@pytest.mark.parametrize("phase", [Phase.SCHEDULED, Phase.COMPLETED, Phase.ROLLING_BACK])
def test_what_is_not_looked_at_makes_no_progress(phase: Phase) -> None:
    screen = Screen()
    with live(screen) as cards:
        cards.mark([named("a-1", phase), named("b-1")])
        screen.wait_for(1)
    assert screen.shown == ["b-1"]


def test_a_card_whose_release_has_ended_waits_no_longer() -> None:
    cards = LiveCards(Screen())
    cards.mark([named("a-1"), named("b-1")])
    cards.mark([named("a-1", Phase.COMPLETED)])
    assert list(cards._dirty) == ["b-1"]


@pytest.mark.parametrize("error", [Transient("rate limited", retry_after=0.05), Transient("no answer"), Fault("gone")])
def test_trouble_with_one_card_hinders_no_other(error: Exception) -> None:
    screen = Screen(error)
    with live(screen) as cards:
        cards.mark([named("a-1"), named("b-1")])
        screen.wait_for(2)
    assert screen.shown == ["a-1", "b-1"]


def test_stopping_ends_a_thread_that_waits_and_one_that_never_began() -> None:
    screen = Screen()
    with live(screen, pace=60) as cards:
        cards.mark([named("a-1"), named("b-1")])
        screen.wait_for(1)
    LiveCards(screen).stop()
    assert screen.shown == ["a-1"]
