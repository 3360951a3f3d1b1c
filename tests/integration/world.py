"""One shop, one Slack and one bot: what a story may do to them, and what it sees."""

from __future__ import annotations

import copy
import json
import re
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import yaml

from bot.sandbox.slack import DriverError, Outcome, SlackStandIn
from bot.sandbox.tour.channel import APPROVE, CHANNEL, ReleaseThread
from storage.database import Database
from strategies.release import Phase
from tests.patience import PATIENCE, comes_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sandbox.mesh.demo import DemoMesh
    from bot.sandbox.tour.splits import Splits
    from strategies.release import Release
    from tests.integration.bot_child import BotChild
    from tests.integration.gate import Gate
    from tests.integration.loop_thread import LoopThread
    from tests.parts.kube_apiserver import KubeApiServer

Document = dict[str, Any]
_CODE = re.compile(r"`([A-Z_]{4,})`")


@dataclass
class World:
    """Everything of one story; `began` is Slack's time of its start."""

    loop: LoopThread
    api: KubeApiServer
    gate: Gate
    slack: SlackStandIn
    mesh: DemoMesh
    bot: BotChild
    splits: Splits
    namespace: str
    database: str
    began: str = field(default_factory=lambda: f"{time.time():.6f}")
    _opened: Database | None = None

    def command(self, user: str, text: str) -> Outcome:
        """Somebody types; Slack got its acknowledgement."""
        outcome = self.loop.run(self.slack.command(user, text, CHANNEL))
        assert outcome.acknowledged, f"{text}: {outcome.error}\n{self.bot.log[-2000:]}"
        return outcome

    def click(self, user: str, action: str, *, is_stale: bool = False) -> Outcome:
        """Somebody presses a button of the root message, through its dialog."""
        hand = self.slack.stale_click if is_stale else self.slack.click
        outcome = self.loop.run(hand(user, CHANNEL, self.root()["ts"], action))
        assert outcome.acknowledged, outcome.error
        return outcome

    def answer(self, user: str, text: str) -> str:
        """What only this person reads after a command."""
        before = len(self.told(user))
        self.command(user, text)
        self.until(lambda: len(self.told(user)) > before, f"{user} is answered")
        return self.told(user)[-1]

    def reason(self, user: str, text: str) -> tuple[str, str]:
        """The reason code and the sentence with which a command is refused, once Slack has told of its groups."""
        found = ("", "")

        def is_known() -> bool:
            nonlocal found
            before = len(self.told(user))
            self.command(user, text)
            found = self.refusal(user, before)
            return "Slack has not told yet" not in found[1]

        self.until(is_known, f"{user} is known")
        return found

    def refusal(self, user: str, before: int) -> tuple[str, str]:
        """The reason code and the sentence of the first private answer after `before` of them."""
        self.until(lambda: len(self.told(user)) > before, f"{user} is answered")
        blocks = [one for one in self._seen(user) if one["ephemeral"]][before]["blocks"]
        code = _CODE.search(json.dumps(blocks))
        return (code[1] if code else ""), self.told(user)[before]

    def told(self, user: str) -> list[str]:
        """Private answers to this person, oldest first."""
        return self.loop.read(self.thread(user).private_answers)

    def headline(self) -> str:
        """The first line of the root message."""
        return self.loop.read(self.thread("bob").headline)

    def root(self) -> Document:
        """The root message."""
        found = self.loop.read(self.thread("bob").root)
        assert found is not None, "there is no release in the channel"
        return found

    def texts(self) -> str:
        """Everything bob can read, as one text."""
        return json.dumps(self._seen("bob"), ensure_ascii=False)

    def thread(self, user: str) -> ReleaseThread:
        """The release's messages through one person's eyes."""
        return ReleaseThread(self.slack, user, self.began)

    def until(self, holds: Callable[[], object], expectation: str, approver: str = "") -> None:
        """Wait for something, an approver saying yes meanwhile."""

        def is_there() -> bool:
            found = bool(holds())
            if not found and approver:
                self._approve(approver)
            return found

        assert comes_true(is_there, every=0.05), f"in vain: {expectation}; {self._state()}"

    def until_headline(self, words: str, approver: str = "") -> None:
        """Wait until the root message's first line has these words."""
        self.until(lambda: words in self.headline(), f"the card says {words!r}", approver)

    @property
    def asked(self) -> int | None:
        """The candidate's percent that Envoy serves now."""
        return self.loop.read(lambda: self.splits.asked.get("v2"))

    def until_asked(self, share: int, approver: str = "") -> None:
        """Wait until Envoy serves this share to the candidate."""
        self.until(lambda: self.asked == share, f"v2 gets {share} %", approver)

    def counters(self) -> dict[str, int]:
        """Envoy's own counters."""
        return self.loop.run(self.mesh.counters())

    def knob(self, **knobs: Any) -> None:
        """Make v2 suffer."""
        self.loop.run(self.mesh.set_knob("v2", **knobs))

    def route(self, name: str = "reviews") -> Document:
        """The VirtualService as the API server has it."""
        with self._api() as api:
            found: Document = api.get(f"{self._path}/{name}").raise_for_status().json()
        return found

    def read(self, path: str) -> Document:
        """Any object as the API server has it."""
        with self._api() as api:
            found: Document = api.get(path).raise_for_status().json()
        return found

    def edit_route(self, edit: Callable[[Document], None], manager: str, name: str = "reviews") -> None:
        """Somebody else edits the VirtualService, under their own field manager."""
        with self._api() as api:
            document = api.get(f"{self._path}/{name}").raise_for_status().json()
            edit(document)
            query = {"fieldManager": manager}
            api.put(f"{self._path}/{name}", params=query, json=document).raise_for_status()

    def add_route(self, name: str, spec: Document) -> None:
        """Somebody else makes another VirtualService."""
        head = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": name}}
        with self._api() as api:
            api.post(self._path, json=head | {"spec": spec}).raise_for_status()

    def change_profile(self, **changes: Any) -> None:
        """The owner of the service writes its profile anew; whoever asks from now on reads it."""
        file = Path(self.bot.settings["SLUICE_PROFILES"]) / "reviews.yaml"
        draft = file.with_suffix(".draft")
        draft.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), **changes}))
        draft.replace(file)

    def release(self) -> Release:
        """The one active or newest release, as the database has it."""
        with self.remembered().reading() as tx:
            return tx.releases.recent(1)[0].release

    def is_holding(self) -> bool:
        """Whether the stage's share was seen and its hold time runs."""
        with self.remembered().reading() as tx:
            found = tx.releases.recent(1)
        return bool(found) and found[0].release.phase is Phase.OBSERVING

    def remembered(self) -> Database:
        """The bot's database, to read in; opened once, because what waits asks it many times a second."""
        if self._opened is None:
            self._opened = Database(self.database)
        return self._opened

    def close(self) -> None:
        """Let go of the database."""
        if self._opened is not None:
            self._opened.close()

    def _approve(self, user: str) -> None:
        found = self.loop.read(self.thread(user).question)
        if found is None:
            return
        try:
            outcome = self.loop.run(self.slack.click(user, CHANNEL, found[0]["ts"], APPROVE))
        except DriverError:
            # The message changed between reading and pressing; the next turn reads it again.
            return
        assert outcome.acknowledged, outcome.error

    def _seen(self, user: str) -> list[Document]:
        return self.loop.read(lambda: [m for m in self.slack.messages(user, CHANNEL) if m["ts"] > self.began])

    def _state(self) -> str:
        shown = f"card {self.headline()!r}, v2 serves {self.asked} %, alice was told {self.told('alice')[-1:]}"
        return f"{shown}\n{self.bot.log[-3000:]}"

    def _api(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.api.url,
            verify=ssl.create_default_context(cafile=str(self.api.ca_path)),
            headers={"Authorization": f"Bearer {self.api.token}"},
            timeout=PATIENCE,
        )

    @property
    def _path(self) -> str:
        return f"/apis/networking.istio.io/v1/namespaces/{self.namespace}/virtualservices"


def untargeted(route: Document) -> str:
    """The spec without the destinations of the one route that a release moves, as canonical JSON."""
    spec = copy.deepcopy(route["spec"])
    del spec["http"][1]["route"]
    return canonical(spec)


def canonical(value: object) -> str:
    """One text for equal JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
