"""A desk on one house, with a mesh in memory and one profile, for tests of what it answers."""

from datetime import timedelta
from pathlib import Path

from bot import preflight
from bot.desk import Desk
from bot.guarding import Guarding
from bot.intents import Defaults
from bot.ports import Card
from bot.profiles import Profiles
from bot.requests import Answer, Request, StartRequest
from strategies.reasons import Refused
from strategies.release import Actor
from tests.fakes import FakeMesh, FakeMetrics, FakeStaging
from tests.unit.bot.house import House
from tests.unit.core.events_of import ALICE

START = StartRequest("reviews", "v2")
PLACE = "service: reviews\nnamespace: shop\nchannel: C7\n"
PROFILE = f"{PLACE}approvers: [U2]\nhold: 5m\n"


class Office:
    """A desk on one house, with a mesh in memory and one profile."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house, self.mesh, self.folder = house, FakeMesh.shop(), folder
        self.count = 0
        (folder / "reviews.yaml").write_text(PROFILE, encoding="utf-8")
        self.metrics, self.staging, profiles = FakeMetrics(), FakeStaging(), Profiles(folder)
        guarding = Guarding(
            mesh=self.mesh,
            metrics=self.metrics,
            staging=self.staging,
            profiles=profiles,
            database=house.database,
            clock=house.clock,
        )
        self.desk = Desk(
            guarding=guarding,
            engine=house.engine,
            database=house.database,
            mesh=self.mesh,
            profiles=profiles,
            clock=house.clock,
            defaults=Defaults("C1", timedelta(seconds=15)),
            cards=self.card,
            previews=lambda target, plan: f"diff of {target.service}",
            inspect=lambda asked, span, patience: preflight.run(self.metrics, asked, span, house.clock.now(), patience),
        )

    def card(self, id: str) -> Card | None:
        """The card of a release."""
        release = self.house.engine.release(id)
        return Card(release, self.house.clock.now(), "test") if release else None

    def ask(self, request: Request, actor: Actor = ALICE) -> Answer | Refused:
        """Ask under a new key."""
        self.count += 1
        return self.desk.answer(request, actor, f"key:{self.count}")

    def refused(self, request: Request, actor: Actor = ALICE) -> Refused:
        """Ask for what must be refused."""
        answer = self.ask(request, actor)
        assert isinstance(answer, Refused), answer
        return answer
