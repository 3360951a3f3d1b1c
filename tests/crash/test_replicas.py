"""Two replicas on one PostgreSQL: no decision twice, and one goes on without the other."""

import pytest

from tests.crash.campaign import FIRST, Ground
from tests.crash.compare import decisions, differences
from tests.crash.lives import Ending, tell, tell_with_two
from tests.crash.points import Point, Way
from tests.crash.stories import FAILING, GOOD, STORIES, Story


def told_alone(story: Story, ground: Ground) -> Ending:
    with ground() as stage:
        return tell(story, stage, ())


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_two_replicas_never_take_a_decision_twice(story: Story, postgres: Ground) -> None:
    alone = told_alone(story, postgres)
    with postgres() as stage:
        together = tell_with_two(story, stage, None)
    assert list(differences(alone, together, 0)) == []
    keys = [entry.key for entry in together.journal]
    assert len(keys) == len(set(keys))
    assert decisions(together) == decisions(alone)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("story", [GOOD, FAILING], ids=lambda story: story.name)
def test_when_one_replica_is_killed_the_other_goes_on(story: Story, postgres: Ground) -> None:
    alone = told_alone(story, postgres)
    deaths = 0
    for number in range(2, len(alone.world.passed[FIRST]) // 2, 8):
        with postgres() as stage:
            survived = tell_with_two(story, stage, Point(number, Way.AFTER))
        assert list(differences(alone, survived, survived.deaths)) == []
        deaths += survived.deaths
    assert deaths >= 3  # who does how much is chance; the later points may not be reached
