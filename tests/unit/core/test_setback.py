"""Looks go on when the clock was set back: what an hour ahead noted makes none of them an old one."""

from datetime import timedelta

import pytest

from strategies.release import Phase
from tests.builders import NOW, a_verdict
from tests.unit.core.events_of import a_look, moved
from tests.unit.core.test_harm import settled

SKEW = timedelta(minutes=1)
MICRO = timedelta.resolution


@pytest.mark.parametrize(("noted", "taken"), [(SKEW, NOW + SKEW), (SKEW + MICRO, NOW)])
def test_a_look_after_a_setback_is_taken(noted: timedelta, taken: object) -> None:
    release = settled(Phase.OBSERVING, last_look_at=NOW + noted)
    assert moved(release, a_look(release, (a_verdict(),)), NOW).release.last_look_at == taken


@pytest.mark.parametrize(("noted", "taken"), [(SKEW, None), (SKEW + MICRO, NOW)])
def test_a_stage_that_the_old_clock_began_is_looked_at(noted: timedelta, taken: object) -> None:
    release = settled(Phase.OBSERVING, last_look_at=None, stage_began_at=NOW + noted)
    assert moved(release, a_look(release, (a_verdict(),)), NOW).release.last_look_at == taken
