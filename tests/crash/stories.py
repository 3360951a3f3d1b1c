"""The stories that are told at every point: what people do in them, and when the candidate breaks."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.slack.buttons import APPROVE, ROLL_BACK
from strategies.release import Actor, Role
from tests.crash.world import SharedClock, Wish, World

ALICE = Actor("U0ALICE", "alice", frozenset({Role.RELEASER}))
BOB = Actor("U0BOB", "bob", frozenset({Role.APPROVER}))
CAROL = Actor("U0CAROL", "carol", frozenset({Role.ON_CALL}))
PROFILE = """
service: reviews
namespace: shop
channel: C1
steps: [{steps}]
hold: {hold}
look: 10s
approve: every
metrics: {{errors: {{limit: 5%}}}}
min_requests: 100
soak: 10s
scale: true
decommission: {decommission}
{more}
"""
NEVER = 2.0


@dataclass(frozen=True, slots=True)
class Story:
    """One release from its command to its end."""

    name: str
    steps: str = "25, 100"
    breaks_at: float = NEVER
    is_taken_back: bool = False  # carol has had enough when …
    is_seen: str = "holding"  # … she sees the card say this
    decommission: str = "keep"
    words: str = ""  # behind the command's service and version
    more: str = ""  # lines of the profile
    hold: str = "15s"
    is_pressed_twice: bool = False  # bob presses what is left on a message that was posted again, once he approved

    def world(self, clock: SharedClock, *, asks_anew: bool = True) -> World:
        """Everything but the bot, before anything happened."""
        return World(clock, self.wishes, self.breaks_at, asks_anew)

    def profiles(self, folder: Path) -> Path:
        """A folder with the profile of the story's service."""
        folder.mkdir()
        (folder / "reviews.yaml").write_text(PROFILE.format(**asdict(self)))
        return folder

    def wishes(self, world: World) -> Sequence[Wish]:
        """What people want at this moment, by what they see."""
        start = Wish(ALICE, "start", command=f"start reviews v2 {self.words}".strip())
        return [start, *self._rollback(world), *self._approvals(world), *self._late(world)]

    def _rollback(self, world: World) -> Sequence[Wish]:
        if not self.is_taken_back:
            return ()
        shown = world.slack.buttons(ROLL_BACK, self.is_seen)
        return [Wish(CAROL, "roll back", click=button) for button in shown]

    def _approvals(self, world: World) -> Sequence[Wish]:
        # Nobody approves against missing evidence here; a question is answered on any message that still shows it.
        ready = [button for button in world.slack.buttons(APPROVE) if '"w"' not in button["value"]]
        return [Wish(BOB, button["block_id"], click=button) for button in ready]

    def _late(self, world: World) -> Sequence[Wish]:
        left = world.slack.left_behind(APPROVE) if self.is_pressed_twice else ()
        decided = [button for button in left if button["block_id"] in world.answered]
        return [Wish(BOB, f"{button['block_id']} late", click=button) for button in decided]


GOOD = Story("good")
FAILING = Story("failing", steps="25, 50, 100", breaks_at=0.5)
# She sees it, however often the bot was away meanwhile.
LONG = "60s"
TAKEN_BACK = Story("taken back by a person", steps="25, 100", is_taken_back=True, hold=LONG)
RETIRED = Story("retired, then taken back", decommission="scale_to_zero", is_taken_back=True, is_seen="complete")
STORIES = (GOOD, FAILING, TAKEN_BACK, RETIRED)
PHASED = Story("phased", words="phased from 25 by 75 every 15s to 100")
BLUE_GREEN = Story("blue-green", words="blue-green")
SHADOW = Story("shadow", words="shadow mirror=10,50", more="side_effects: isolated")
FAILING_SHADOW = Story("failing shadow", words="shadow mirror=10,50", more="side_effects: isolated", breaks_at=0.5)
AB = Story("ab", words="ab match=header:x-beta=1 steps=10")
AB_TAKEN_BACK = Story("ab taken back", words="ab match=header:x-beta=1 steps=10", is_taken_back=True, hold=LONG)
STICKY = Story("sticky", more="sticky: cookie")
AT_ONCE = Story("all at once", words="canary steps=100")
PIPELINE = Story("pipeline", steps="50, 100", more="pipeline: [shadow, canary]\nside_effects: isolated")
OTHERS = (BLUE_GREEN, SHADOW, AB_TAKEN_BACK, PIPELINE, AT_ONCE)
EVERY = (
    *STORIES,
    *OTHERS,
    *(PHASED, FAILING_SHADOW, AB, STICKY, Story("good in four steps", steps="5, 25, 50, 100")),
)
