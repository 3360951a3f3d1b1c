"""People at random: commands, buttons, twice, late, and by those who may not."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from bot.sandbox.slack import DriverError, Fault, FaultKind, Outcome
from bot.sandbox.slack.elements import interactive
from tests.chaos.ledger import Act
from tests.chaos.shop import APPROVERS, RELEASERS

if TYPE_CHECKING:
    import random
    from collections.abc import Coroutine

    from tests.chaos.shop import Service
    from tests.chaos.world import World

EVERYBODY = ("alice", "bob", "carol", "dave", "erin", "mallory")
OPERATORS = ("alice", "bob", "carol", "dave", "erin")
Document = dict[str, Any]


class People:
    """Each method is one thing that somebody does; nobody waits for the answer but Slack."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self._world = world
        self._chance = chance

    def start(self) -> None:
        """Somebody starts a release of the version that serves nobody."""
        one = self._service()
        moment = self._chance.choice(["", "", "", "", " at=in 4s"])
        who = self._chance.choice([*RELEASERS, *RELEASERS, *RELEASERS, "mallory", "bob"])
        version = self._chance.choice([self._candidate(one)] * 9 + ["v1", "v2", "v9"])
        self._say(who, f"/release start {one.name} {version} {one.words}{moment}".strip(), one)

    def approve(self) -> None:
        """An approver presses Approve where a question stands."""
        self._press(self._chance.choice(APPROVERS), ("release_approve",))

    def answer_drift(self) -> None:
        """Somebody says what becomes of a hand edit."""
        self._press(
            self._chance.choice(OPERATORS), ("release_drift_adopt", "release_drift_restore", "release_drift_stop")
        )

    def press_anything(self) -> None:
        """Whoever presses whatever."""
        self._press(self._chance.choice(EVERYBODY), ())

    def _any_but_back(self) -> tuple[str, ...]:
        return (self._chance.choice(("release_approve", "release_pause", "release_resume")),)

    def press_twice(self) -> None:
        """A double click, or one payload delivered to every replica."""
        if self._chance.random() < 0.5:
            self.deliver_twice()
            self.approve()
        else:
            self._press(self._chance.choice(APPROVERS), self._any_but_back(), times=2)

    def press_late(self) -> None:
        """A button that the message had earlier."""
        actions = self._any_but_back() if self._chance.random() < 0.8 else ()
        self._press(self._chance.choice(EVERYBODY), actions, is_stale=True)

    def deliver_twice(self) -> None:
        """The next payload goes to every replica."""
        fault = Fault(kind=FaultKind.DUPLICATE, methods=frozenset({"socket_mode"}), times=1)
        self._world.loop.read(lambda: self._world.slack.faults.add(fault))
        self._world.ledger.say("delivered to all")

    def pause(self) -> None:
        """Somebody pauses."""
        self._of_release("pause {id} just so", OPERATORS)

    def resume(self) -> None:
        """Somebody resumes."""
        self._of_release("resume {id}", OPERATORS)

    def roll_back(self) -> None:
        """Somebody rolls back, by id or by service."""
        self._of_release(self._chance.choice(["rollback {id} enough", "rollback {service}"]), EVERYBODY)

    def approve_by_command(self) -> None:
        """Somebody types approve."""
        self._of_release("approve {id} fine", EVERYBODY)

    def schedule(self) -> None:
        """Somebody lets the next increase wait, with or without an approval given in advance."""
        way = self._chance.choice(["auto", "ask", ""])
        self._of_release(f"schedule {{id}} at in 3s {way}".strip(), OPERATORS)

    def override(self) -> None:
        """Somebody with the right goes on all the same, or somebody without it tries."""
        self._of_release("override {id} tested by hand", ("bob", "carol", "mallory"))

    def look(self) -> None:
        """Somebody only looks."""
        text = self._chance.choice(["status {id}", "status {service}", "list all", "list mine", "plan {service} v2"])
        self._of_release(text, EVERYBODY)

    def send(self, work: Coroutine[Any, Any, None]) -> None:
        """Let it happen beside everything else."""
        self._world.loop.spawn(work)

    def _service(self) -> Service:
        return self._chance.choice(self._world.services)

    def _candidate(self, one: Service) -> str:
        route = self._world.cluster.now("virtualservices", one.name)
        text = json.dumps(route or {})
        return "v1" if '"subset": "v2"' in text and '"subset": "v1"' not in text else "v2"

    def _of_release(self, text: str, people: tuple[str, ...]) -> None:
        one = self._service()
        ids = self._ids(one)
        release = (ids[-1] if self._chance.random() < 0.9 else self._chance.choice(ids)) if ids else f"{one.name}-1"
        said = text.format(id=release, service=one.name)
        self._say(self._chance.choice(people), f"/release {said}", one)

    def _ids(self, one: Service) -> list[str]:
        def found() -> list[str]:
            blocks = [each for message in self._messages(one) for each in message["blocks"]]
            places = [str(each.get("block_id", "")).split(":") for each in blocks]
            return list(dict.fromkeys(place[1] for place in places if place[0] in {"card", "gate"} and len(place) == 4))

        return self._world.loop.read(found)

    def _messages(self, one: Service) -> list[Document]:
        return self._world.slack.messages("bob", one.channel)

    def _say(self, who: str, text: str, one: Service) -> None:
        self.send(self._said(who, text, one.channel))

    async def _said(self, who: str, text: str, channel: str) -> None:
        at = time.time()
        try:
            outcome = await self._world.slack.command(who, text, channel)
        except DriverError as error:
            outcome = Outcome(acknowledged=False, error=str(error))
        self._note(at, who, "command", text, outcome)

    def _press(self, who: str, actions: tuple[str, ...], *, times: int = 1, is_stale: bool = False) -> None:
        services, pick = list(self._world.services), self._chance.random()
        self._chance.shuffle(services)
        for _ in range(times):
            self.send(self._pressed(who, services, actions, pick=pick, is_stale=is_stale))

    async def _pressed(
        self, who: str, services: list[Service], actions: tuple[str, ...], *, pick: float, is_stale: bool
    ) -> None:
        found = ((one, self._buttons(one, actions, is_stale=is_stale)) for one in services)
        one, buttons = next((each for each in found if each[1]), (services[0], []))
        if not buttons:
            return
        # The newest are the likeliest: people press what they see at the bottom.
        ts, action, value = buttons[min(int(len(buttons) * pick**0.3), len(buttons) - 1)]
        hand = self._world.slack.stale_click if is_stale else self._world.slack.click
        at = time.time()
        try:
            outcome = await hand(who, one.channel, ts, action, value=value)
        except DriverError:
            return
        self._note(at, who, action, value, outcome)

    def _buttons(self, one: Service, actions: tuple[str, ...], *, is_stale: bool) -> list[tuple[str, str, str]]:
        found = []
        for message in self._messages(one):
            if message["ephemeral"]:
                continue
            blocks = [message["blocks"]]
            if is_stale:
                kept = self._world.slack.state.messages.find(one.channel, message["ts"])
                blocks = kept.past[-5:] if kept else []
            for version in blocks:
                for _, element in interactive(version):
                    action, value = str(element.get("action_id", "")), element.get("value")
                    if value and action.startswith("release_") and (not actions or action in actions):
                        found.append((str(message["ts"]), action, str(value)))
        return found

    def _note(self, at: float, who: str, what: str, value: str, outcome: Outcome) -> None:
        ledger = self._world.ledger
        ledger.acts.append(Act(at, who, what, value, outcome.acknowledged))
        ledger.say(what, f"{who} {value} {'taken' if outcome.acknowledged else outcome.error}")
