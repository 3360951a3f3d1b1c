"""The heavy imports wait until the cluster was listed, and no longer than a while."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from bot import warm
from bot.warm import Warm
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Set once the first module was asked for; none is loaded."""
    done = threading.Event()
    monkeypatch.setattr(warm, "import_module", lambda _: done.set())
    yield done


def test_nothing_heavy_is_imported_before_the_cluster_was_listed(
    imported: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "LATEST", 2 * PATIENCE)
    waiting = Warm()
    waiting.start()
    assert not imported.wait(0.2)
    waiting.listed()
    assert imported.wait(PATIENCE)
    waiting.stop()


def test_a_cluster_that_never_answers_is_waited_for_a_while(
    imported: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "LATEST", 0.1)
    waiting = Warm()
    waiting.start()
    assert imported.wait(PATIENCE)
    waiting.stop()


def test_a_stop_ends_the_wait(imported: threading.Event) -> None:
    waiting = Warm()
    waiting.start()
    waiting.stop()
    assert not imported.is_set()
