"""State between two runs."""

import random

import pytest

from bot.replay.session import Session
from bot.replay.stored import dumped, loaded
from bot.replay.values import BadLine
from tests.unit.replay.lines import COUNTS, GAUGE, LATENCY, config, fed, look, times


def lines(looks: int) -> list[dict[str, object]]:
    """A release with every kind of metric, and one with errors alone."""
    draw = random.Random(4)
    metrics = [COUNTS, LATENCY, GAUGE]
    written: list[dict[str, object]] = [config(metrics=metrics), config("b", history={"errors": [[6000, 6]] * 60})]
    for n in range(1, looks):
        arms = [
            {
                "errors": [[size, draw.randrange(3)]],
                "latency_p99": times(draw.randrange(5), size),
                "revenue": draw.random(),
            }
            for size in (950, 50)
        ]
        written.append(look(10 * n, weight=5 if n < 20 else 10, baseline=arms[0], candidate=arms[1]))
        written.append(look(10 * n, (950, 1), (50, int(n % 17 == 0)), release="b"))
    return written


@pytest.mark.parametrize("cut", [1, 2, 3, 40, 41, 83])
def test_two_halves_print_the_same_as_the_whole(cut: int) -> None:
    all_ = lines(45)
    whole, trouble = fed(Session(), *all_)
    first = Session()
    head, _ = fed(first, *all_[:cut])
    tail, _ = fed(loaded(dumped(first)), *all_[cut:])
    assert not trouble
    assert head + tail == whole


def test_a_decided_release_stays_decided() -> None:
    session = Session()
    fed(session, config(), *(look(10 * n, (950, 0), (50, 25)) for n in range(1, 5)))
    again = loaded(dumped(session))
    assert fed(again, look(60)) == ([], "")
    assert again.finish() == []


def test_the_end_of_one_part_is_not_kept_for_the_next() -> None:
    session = Session()
    fed(session, config(), look(10))
    assert [answer["decision"] for answer in session.finish()] == ["hold"]
    again = loaded(dumped(session))
    assert again.finish() == []
    answers, _ = fed(again, look(20))
    assert [answer["t"] for answer in answers] == [20]
    assert [answer["decision"] for answer in again.finish()] == ["hold"]


def test_time_still_may_not_fall_after_a_restart() -> None:
    session = Session()
    fed(session, config(), look(10))
    assert "falls from 10 to 5" in fed(loaded(dumped(session)), look(5))[1]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"format":"other"}', '{"format":"sluice-replay-1","releases":{"a":1}}']
)
def test_a_file_that_is_no_state_is_refused(text: str) -> None:
    with pytest.raises(BadLine, match="no state of a replay"):
        loaded(text)
