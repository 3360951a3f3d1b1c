"""A kill at each commit and each remote call of a canary changes nothing that anybody relies on."""

import os
from collections.abc import Callable, Sequence

import pytest

from tests.crash.campaign import Ground, Kills, Report, campaign, once_each, twice
from tests.crash.lives import Ending
from tests.crash.stories import EVERY, FAILING, GOOD, OTHERS, STORIES, Story

ALL = os.environ.get("SLUICE_CRASH") == "all"
# Short of `--all`, a good and a failing canary are killed everywhere, the others here and there.
TOLD, WHOLE = EVERY if ALL else (*STORIES, *OTHERS), (GOOD, FAILING)
Told = Callable[[Report], list[str]]
PATIENT = pytest.mark.timeout(1800)


def some(step: int, of: Callable[[Ending], Sequence[Kills]] = once_each) -> Callable[[Ending], Sequence[Kills]]:
    """Every so manieth point; a step that three does not divide, or each were killed in the same of three ways."""
    return lambda calm: of(calm)[::step]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    """Says how many points there were and how long they took; answers what was wrong."""

    def say(report: Report) -> list[str]:
        with capsys.disabled():
            print(f"\n{report}")
        return report.wrong()

    return say


@PATIENT
@pytest.mark.parametrize("story", TOLD, ids=lambda story: story.name)
def test_a_kill_at_any_point_ends_as_if_there_had_been_none(story: Story, sqlite: Ground, told: Told) -> None:
    choose = once_each if ALL or story in WHOLE else some(20 if story in STORIES else 40)
    assert told(campaign(story, sqlite, choose)) == []


@PATIENT
@pytest.mark.parametrize("story", EVERY if ALL else [FAILING], ids=lambda story: story.name)
def test_a_second_kill_soon_after_the_restart_changes_nothing_either(story: Story, sqlite: Ground, told: Told) -> None:
    assert told(campaign(story, sqlite, twice if ALL else some(5, twice))) == []


@PATIENT
@pytest.mark.parametrize("story", EVERY if ALL else [GOOD], ids=lambda story: story.name)
def test_a_kill_changes_nothing_on_postgresql_either(story: Story, postgres: Ground, told: Told) -> None:
    assert told(campaign(story, postgres, some(10 if ALL else 20))) == []
