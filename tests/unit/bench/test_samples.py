"""What endurance calls growth: a leak that somebody could write is found, and what levels off is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.bench.samples import Sample, verdict

EMPTY = Sample(0, 200.0, 950_000, 50.0, 3.0, 150_000, 38, 60, {}, {}, {}, 0, 0)


def judged(*samples: Sample) -> set[str]:
    """The figures that are over their budget."""
    return {figure.name for figure in verdict(samples) if figure.judgement == "MISSED"}


def after(done: int, *, dictionaries: float = 0, kilobytes: float = 0, entries: float = 0) -> Sample:
    """A sample in which each release has left so much; a small dictionary with its entries is six blocks."""
    return replace(
        EMPTY,
        done=done,
        megabytes=EMPTY.megabytes + done * kilobytes / 1_000,
        blocks=EMPTY.blocks + round(6 * dictionaries * done),
        native=EMPTY.native + done * kilobytes / 1_000,
        maps={"bot.somewhere.Map._kept": round(entries * done)},
    )


def test_a_process_that_keeps_nothing_has_not_grown() -> None:
    assert judged(*(after(done) for done in range(0, 1_500, 100))) == set()


@pytest.mark.parametrize(
    ("leak", "found"),
    [
        ({"dictionaries": 1}, {"Python's blocks in use per 1,000 releases"}),
        ({"kilobytes": 3}, {"C memory in use per 1,000 releases"}),
        ({"kilobytes": 30}, {"C memory in use per 1,000 releases", "resident memory at its highest"}),
        ({"entries": 1}, {"maps that grow without a limit, of 1"}),
    ],
)
def test_what_each_release_leaves_behind_is_found(leak: dict[str, float], found: set[str]) -> None:
    assert judged(*(after(done, **leak) for done in range(0, 1_500, 100))) == found


def test_what_fills_while_it_warms_up_is_no_growth() -> None:
    filling = [after(min(done, 500), dictionaries=10, kilobytes=50, entries=10) for done in range(0, 1_500, 100)]
    assert judged(*(replace(sample, done=100 * place) for place, sample in enumerate(filling))) == set()
