"""A message that Slack took and the bot does not know of: it is posted again, and what the old one shows is stale."""

from dataclasses import replace

from strategies.reasons import ReasonCode
from tests.crash.campaign import FIRST, Ground, repeats
from tests.crash.compare import differences
from tests.crash.lives import tell
from tests.crash.points import Point, Way
from tests.crash.stories import GOOD

PRESSED = replace(GOOD, steps="25, 50, 100", is_pressed_twice=True)
STALE = {ReasonCode.STALE_REVISION, ReasonCode.ALREADY_DECIDED}


def test_what_a_repeated_message_left_behind_decides_nothing_and_says_that_it_is_stale(sqlite: Ground) -> None:
    with sqlite() as stage:
        calm = tell(PRESSED, stage, ())
    posts = [number for number, name in enumerate(calm.world.passed[FIRST], 1) if name == "chat_postMessage"]
    answers = []
    for number in posts:
        kills = (Point(number, Way.AFTER),)
        with sqlite() as stage:
            shaken = tell(PRESSED, stage, kills)
        assert list(differences(calm, shaken, repeats(shaken, kills))) == []
        answers += [entry.reason_code for entry in shaken.journal if entry.key.partition(" ")[2].startswith("late")]
    assert len(answers) >= 2
    assert set(answers) <= STALE
