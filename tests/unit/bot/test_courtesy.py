"""Who is in a hurry goes first, as far as courtesy goes."""

import threading
import time

import pytest

from bot import courtesy
from bot.courtesy import Courtesy

LONG = 20.0  # seconds; a test that waits so long has failed


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Courtesy that does not end during a test."""
    monkeypatch.setattr(courtesy, "LONGEST", LONG)
    monkeypatch.setattr(courtesy, "CREDIT", LONG)


def gives_way(polite: Courtesy) -> tuple[threading.Event, threading.Thread]:
    """Somebody who gives way in a thread, and whether they went on."""
    went_on = threading.Event()

    def work() -> None:
        polite.give_way()
        went_on.set()

    thread = threading.Thread(target=work)
    thread.start()
    return went_on, thread


def seconds_of(polite: Courtesy) -> float:
    """How long giving way takes."""
    began = time.monotonic()
    polite.give_way()
    return time.monotonic() - began


@pytest.mark.usefixtures("patience")
def test_work_waits_while_somebody_is_in_a_hurry_and_goes_on_behind_them() -> None:
    polite = Courtesy()
    with polite.hurry():
        with polite.hurry():
            went_on, thread = gives_way(polite)
            assert not went_on.wait(0.1)
        assert not went_on.wait(0.1)
    assert went_on.wait(LONG / 2)
    thread.join()


@pytest.mark.usefixtures("patience")
def test_nobody_waits_for_nobody() -> None:
    polite = Courtesy()
    assert seconds_of(polite) < LONG / 2
    with polite.hurry():
        pass
    assert seconds_of(polite) < LONG / 2


def test_who_hangs_in_a_hurry_is_not_waited_for() -> None:
    polite = Courtesy()
    with polite.hurry():
        assert courtesy.LONGEST / 2 < seconds_of(polite) < LONG
        assert seconds_of(polite) < courtesy.LONGEST / 2


def test_hurry_after_hurry_does_not_stop_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courtesy, "LONGEST", LONG)
    monkeypatch.setattr(courtesy, "CREDIT", 0.2)
    polite = Courtesy()
    with polite.hurry():
        assert seconds_of(polite) < LONG / 2
        assert seconds_of(polite) < 0.15
