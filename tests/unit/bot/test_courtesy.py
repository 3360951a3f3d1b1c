"""Who is in a hurry goes first, as far as courtesy goes."""

import threading

import pytest

from bot import courtesy
from bot.courtesy import Courtesy
from tests.patience import PATIENCE

LONG = 2 * PATIENCE  # seconds; a test that waits so long has failed


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


class Script:
    """Time that passes only while somebody gives way."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._now = 1_000.0
        monkeypatch.setattr(courtesy, "time", self)

    def monotonic(self) -> float:
        return self._now

    def polite(self) -> Courtesy:
        polite = Courtesy()
        polite._condition.wait = self._pass  # type: ignore[method-assign]
        return polite

    def seconds_of(self, polite: Courtesy) -> float:
        """How long giving way takes."""
        began = self._now
        polite.give_way()
        return round(self._now - began, 6)

    def _pass(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self._now += timeout
        return False


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    """For what is told in seconds."""
    return Script(monkeypatch)


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


def test_nobody_waits_for_nobody(script: Script) -> None:
    polite = script.polite()
    assert script.seconds_of(polite) == 0
    with polite.hurry():
        pass
    assert script.seconds_of(polite) == courtesy.AFTER


def test_who_hangs_in_a_hurry_is_not_waited_for(script: Script) -> None:
    polite = script.polite()
    with polite.hurry():
        assert script.seconds_of(polite) == courtesy.LONGEST
        assert script.seconds_of(polite) == 0


def test_hurry_after_hurry_does_not_stop_everything_else(script: Script) -> None:
    polite, waited = script.polite(), []
    for _ in range(100):
        with polite.hurry():
            waited.append(script.seconds_of(polite))
    assert sum(waited) == pytest.approx(courtesy.CREDIT / (1 - courtesy.SHARE), rel=0.01)
