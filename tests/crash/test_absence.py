"""A bot that was away for long: it goes on where it stood, and its absence counts as nobody's try."""

from datetime import timedelta

from bot.errors import Transient
from tests.crash.campaign import FIRST, Ground
from tests.crash.compare import differences
from tests.crash.lives import tell
from tests.crash.points import Point, Way
from tests.crash.stories import GOOD
from tests.crash.world import World


def away_for_ten_minutes(world: World) -> None:
    world.clock.set(world.clock.now() + timedelta(minutes=10))
    # As right after a start: the watch cache is being filled.
    world.mesh.fail_next(Transient("not yet"))
    world.mesh.fail_next(Transient("not yet"))


def test_a_write_that_was_queued_before_a_long_absence_is_done_after_it(sqlite: Ground) -> None:
    with sqlite() as stage:
        calm = tell(GOOD, stage, ())
    writes = [number for number, name in enumerate(calm.world.passed[FIRST], 1) if name == "set_route"]
    assert len(writes) >= 2
    for number in writes:
        with sqlite() as stage:
            late = tell(GOOD, stage, [Point(number, Way.BEFORE)], away_for_ten_minutes)
        assert late.deaths == 1
        assert list(differences(calm, late, 0)) == []
