"""Draws what happens next, by the seed: the order is the seed's, the moments are the machine's."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from tests.chaos.nature import Nature
from tests.chaos.people import People

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.world import World

PEOPLE = {
    "start": 26,
    "approve": 40,
    "answer_drift": 10,
    "press_anything": 1,
    "press_twice": 8,
    "press_late": 4,
    "pause": 2,
    "resume": 8,
    "roll_back": 2,
    "approve_by_command": 4,
    "schedule": 4,
    "override": 3,
    "look": 2,
}
CHANGES = {
    "hurt": 2,
    "lose_pods": 1,
    "edit_weights": 1,
    "edit_beside": 3,
    "edit_rule": 2,
    "delete_deployment": 1,
    "delete_route": 1,
    "delete_rule": 1,
    "change_profile": 2,
}
FAULTS = {
    "kill": 4,
    "terminate": 1,
    "freeze": 3,
    "fail_kubernetes": 5,
    "fail_prometheus": 2,
    "fail_database": 2,
    "fail_slack": 3,
    "drop_sockets": 1,
}
STORM, LULL = (4.0, 12.0), (4.0, 15.0)  # seconds, in turns: in a lull nothing new fails, and releases get on


class Driver:
    """People and nature, one drawn act after the other."""

    def __init__(self, world: World, seed: int) -> None:
        self._chance = random.Random(seed)
        self.people, self.nature = People(world, self._chance), Nature(world, self._chance)

    def run(self, seconds: float) -> None:
        """Act for so long."""
        end = time.monotonic() + seconds
        turn, is_storm = time.monotonic(), True
        while time.monotonic() < end:
            self.nature.pass_time()
            if time.monotonic() >= turn:
                is_storm = not is_storm
                turn = time.monotonic() + self._chance.uniform(*(STORM if is_storm else LULL))
            known = PEOPLE | CHANGES | (FAULTS if is_storm else {})
            self._act(self._chance.choices(list(known), list(known.values()))[0])()
            self._rest(self._chance.uniform(0.05, 0.35))

    def _act(self, name: str) -> Callable[[], None]:
        found: Callable[[], None] = getattr(self.people, name, None) or getattr(self.nature, name)
        return found

    def _rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.nature.pass_time()
            time.sleep(min(left, 0.05))
