"""The composition root: the only place where real things are built and wired."""

import logging
import os
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from bot import intents, orders, preflight
from bot.api import telemetry
from bot.api.http import Application, HttpDoor, PortTaken, Readiness, SlackHandler, application, merged
from bot.clock import SystemClock
from bot.courtesy import Courtesy
from bot.desk import Desk
from bot.dispatch import Dispatch
from bot.drift import DriftWatch
from bot.duties import Duties, Messages
from bot.engine import Engine
from bot.errors import Fault
from bot.guarding import Guarding
from bot.histories import Histories
from bot.hooks.smoke import HttpSmoke
from bot.hooks.staging import HttpStaging
from bot.hooks.token import Token
from bot.live import LiveCards
from bot.looks import Looks
from bot.mesh.istio import IstioMesh
from bot.mesh.kube_api import connect as connect_kubernetes
from bot.mesh.preview import preview
from bot.metrics.prometheus import PrometheusMetrics
from bot.ports import Card, Clock, Picture
from bot.profiles import Profiles, WrongProfile
from bot.schedule import Schedule
from bot.setbacks import Setbacks
from bot.settings import Settings, Transport
from bot.slack import answers
from bot.slack.app import HttpDoor as SlackHttpDoor
from bot.slack.app import SocketDoor
from bot.slack.app import build as build_bolt
from bot.slack.outgoing import SlackChat
from bot.slack.people import People
from bot.slack.reception import Reception
from bot.slack.replies import Replies
from bot.slack.web import Web
from bot.slack.web import connect as connect_slack
from bot.smoke import SmokeTests
from bot.waiting import Waiting
from bot.warm import Warm
from bot.worker import Worker
from storage.database import Database
from storage.errors import BadDatabase, StorageError
from strategies.effects import Lane
from strategies.plan import Plan
from strategies.reasons import Refused
from strategies.release import Release, Target

log = logging.getLogger(__name__)

# One of the five is kept free for rollbacks. Who asks first may hang for half a minute on Prometheus or staging.
THREADS = {Lane.ASK: 2, Lane.ROUTE: 5, Lane.METRICS: 1, Lane.HOOK: 2, Lane.CHAT: 1}


class CannotStart(Exception):
    """Why the bot does not start, one sentence each; `is_input` when a setting is to blame."""

    def __init__(self, *lines: str, is_input: bool = True) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
        self.is_input = is_input


class Part(Protocol):
    """Something with threads."""

    def start(self) -> None:
        """Begin."""
        ...

    def stop(self) -> None:
        """End, within seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Bot:
    """Everything that runs, in the order in which it starts; it stops in the opposite one."""

    parts: Sequence[Part]
    database: Database
    address: str

    def start(self) -> None:
        """Start every part; neighbours that do not answer yet are waited for in the background."""
        for part in self.parts:
            part.start()
        log.info("sluice listens on %s", self.address)

    def stop(self) -> None:
        """Stop every part; what is queued stays in the outbox."""
        for part in reversed(self.parts):
            part.stop()
        self.database.close()


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """Whom the bot asks and tells, and by whose time."""

    clock: Clock
    courtesy: Courtesy
    profiles: Profiles
    people: People
    mesh: IstioMesh
    metrics: PrometheusMetrics
    web: Web


def build(settings: Settings) -> Bot:
    """Wire the bot as `settings` say; CannotStart names what is wrong with what was configured."""
    clock, holder = SystemClock(), f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
    near = _neighbours(settings, clock)
    profiles, people, mesh, metrics = near.profiles, near.people, near.mesh, near.metrics
    database = _database(settings)
    engine = Engine(database, clock)
    chat = SlackChat(near.web, people, command=settings.slack_command)
    messages = Messages(database, clock, chat, settings.cluster, _draw, _links(profiles))
    token = _token(settings)
    staging, smoke = HttpStaging(token=token), HttpSmoke(token=token)
    histories = Histories(engine, metrics, clock)
    guarding = Guarding(
        mesh=mesh,
        metrics=metrics,
        staging=staging,
        profiles=profiles,
        database=database,
        clock=clock,
        histories=histories.read,
    )
    duties = Duties(engine, clock, mesh, metrics, guarding.refusal, histories)
    dispatch = Dispatch(duties, messages, SmokeTests(engine, clock, smoke), engine, near.courtesy.hurry)
    worker = Worker(database, clock, holder, dispatch, dispatch.gave_up, THREADS)
    kept = timedelta(days=settings.evidence_days)
    looks = Looks(engine, metrics, mesh, clock, near.courtesy.give_way)
    waiting = Waiting(engine, mesh, clock)
    schedule = Schedule(engine, database, looks, clock, holder, kept=kept, swept=waiting.swept)
    drift = DriftWatch(engine, mesh, duties, near.courtesy.give_way)
    live = LiveCards(messages.refresh)
    desk = _desk(settings, near, engine, database, guarding, messages)
    replies = Replies(near.web, answers.failed_inside(settings.slack_command))
    slack = _slack(settings, near.web, replies, _reception(settings, near, desk, database))
    engine.on_queued(worker.wake)
    for listener in (schedule.follow, waiting.follow, drift.follow, live.mark, telemetry.count):
        engine.on_commit(listener)
    watch = _Watched(people)
    engine.on_commit(watch)
    mesh.on_change(drift.changed)
    mesh.on_rule_change(drift.rule_changed)
    mesh.on_pods(waiting.changed)
    for part in (drift, waiting, warm := Warm()):
        mesh.on_listed(part.listed)
    readiness = _Readiness(database, mesh, slack, (metrics, chat, people, profiles))
    door = _door(settings, application(readiness, _active(database), slack.handle))
    followed = _Followed(engine, (drift.follow, waiting.follow, watch))
    # Replies end behind Slack's door: whoever is being answered when everything stops still has an answer coming.
    doors = (_Stopped(replies), slack, door)
    parts = (people, followed, mesh, drift, waiting, worker, live, schedule, *doors)
    besides = (warm, Setbacks(clock, schedule.realign))
    return Bot((*parts, *besides), database, door.address)


def _database(settings: Settings) -> Database:
    try:
        database = Database(settings.database)
        database.migrate()
    except BadDatabase as error:
        raise CannotStart(f"SLUICE_DATABASE: {error}") from error
    except StorageError as error:
        raise CannotStart(f"SLUICE_DATABASE: {error}", is_input=False) from error
    return database


def _neighbours(settings: Settings, clock: Clock) -> _Neighbours:
    lines: list[str] = []
    try:
        profiles = Profiles(settings.profiles)
    except WrongProfile as error:
        lines.append(f"SLUICE_PROFILES={error}")
    web = connect_slack(_secret(settings.slack_bot_token), settings.slack_api_url)
    try:
        people = People(web, settings.roles)
    except Fault as error:
        lines.append(str(error))
    try:
        kubeconfig = str(settings.kubeconfig) if settings.kubeconfig else None
        connection = connect_kubernetes(kubeconfig, settings.kube_context)
    except Fault as error:
        lines.append(str(error))
    if lines:
        raise CannotStart(*lines)
    mesh = IstioMesh(connection, clock, namespaces=settings.namespaces, propagation=settings.propagation)
    courtesy = Courtesy()
    metrics = PrometheusMetrics(settings.prometheus_url, settings.reporter, between=courtesy.give_way)
    return _Neighbours(clock, courtesy, profiles, people, mesh, metrics, web)


def _desk(
    settings: Settings, near: _Neighbours, engine: Engine, database: Database, guarding: Guarding, messages: Messages
) -> Desk:
    return Desk(
        engine=engine,
        database=database,
        mesh=near.mesh,
        profiles=near.profiles,
        clock=near.clock,
        guarding=guarding,
        defaults=intents.Defaults(settings.slack_channel, settings.look),
        cards=messages.card,
        previews=_previews(near.mesh),
        inspect=lambda asked, span, patience: preflight.run(near.metrics, asked, span, near.clock.now(), patience),
    )


def _reception(settings: Settings, near: _Neighbours, desk: Desk, database: Database) -> Reception:
    def threads(channel: str, ts: str) -> str | None:
        with database.reading() as tx:
            return tx.messages.release_at(channel, ts)

    return Reception(
        desk=desk,
        people=near.people,
        threads=threads,
        clock=near.clock,
        zone=ZoneInfo(settings.timezone),
        command=settings.slack_command,
        hurry=near.courtesy.hurry,
    )


class _Slack:
    """Slack's door by the chosen transport: a socket of our own, or a handler that the HTTP door mounts."""

    def __init__(self, socket_door: SocketDoor | None, http_door: SlackHttpDoor | None) -> None:
        self._socket = socket_door
        self.handle: SlackHandler | None = None
        if http_door is not None:
            self.handle = lambda headers, body: astuple(http_door.handle(headers, body))

    def start(self) -> None:
        if self._socket is not None:
            self._socket.start()

    def stop(self) -> None:
        if self._socket is not None:
            self._socket.stop()

    def troubles(self) -> Sequence[str]:
        return self._socket.troubles() if self._socket is not None else ()


def _slack(settings: Settings, web: Web, replies: Replies, reception: Reception) -> _Slack:
    secret = _secret(settings.slack_signing_secret) or ""
    bolt = build_bolt(reception, replies, web, secret)
    if settings.slack_transport is Transport.HTTP:
        return _Slack(None, SlackHttpDoor(bolt, secret))
    return _Slack(SocketDoor(bolt, _secret(settings.slack_app_token) or "", web), None)


class Troubled(Protocol):
    """Something that can say why it is not to be relied on."""

    def troubles(self) -> Sequence[str]:
        """One sentence each."""
        ...


@dataclass(frozen=True, slots=True)
class _Readiness:
    """Not ready without database, watch cache or Slack's door; the other neighbours are only reported."""

    database: Database
    mesh: IstioMesh
    slack: Troubled
    others: Sequence[Troubled]

    def __call__(self) -> Readiness:
        needed = merged([self._database_troubles(), self.mesh.troubles(), self.slack.troubles()])
        told = merged([self.mesh.lacking(), *(other.troubles() for other in self.others)])
        return Readiness(not needed, merged([needed, told]))

    def _database_troubles(self) -> Sequence[str]:
        try:
            self.database.ping()
        except StorageError as error:
            return (f"SLUICE_DATABASE: {error}",)
        return ()


@dataclass(frozen=True, slots=True)
class _Followed:
    """Tells followers of the releases that were active before this start."""

    engine: Engine
    followers: Sequence[Callable[[Sequence[Release]], None]]

    def start(self) -> None:
        active = self.engine.active()
        for follow in self.followers:
            follow(active)

    def stop(self) -> None:
        """Nothing runs here."""


@dataclass(frozen=True, slots=True)
class _Watched:
    """Has the groups looked up that only a profile names as approvers."""

    people: People

    def __call__(self, releases: Sequence[Release]) -> None:
        self.people.watch({id for release in releases for id in release.rules.approvers})


@dataclass(frozen=True, slots=True)
class _Stopped:
    """A part whose threads begin by themselves."""

    part: Replies

    def start(self) -> None:
        """It begins with its first task."""

    def stop(self) -> None:
        self.part.stop()


def _active(database: Database) -> Callable[[], int | None]:
    def count() -> int | None:
        try:
            with database.reading() as tx:
                return len(tx.releases.active_versions())
        except StorageError:
            return None

    return count


def _door(settings: Settings, app: Application) -> HttpDoor:
    try:
        return HttpDoor(settings.listen, app)
    except PortTaken as error:
        raise CannotStart(str(error)) from error


def _draw(card: Card) -> Picture:
    # Matplotlib takes a second to import; the first picture may wait for it, the start may not.
    from bot.metrics import charts  # noqa: PLC0415

    return charts.draw(card)


def _links(profiles: Profiles) -> Callable[[Release], Mapping[str, str]]:
    def links(release: Release) -> Mapping[str, str]:
        profile = profiles.find(release.target.service)
        return profile.links if profile else {}

    return links


def _previews(mesh: IstioMesh) -> Callable[[Target, Plan], str]:
    def shown(target: Target, plan: Plan) -> str:
        return "\n".join(filter(None, (_diff(mesh, name, target, plan) for name in target.objects)))

    return shown


def _diff(mesh: IstioMesh, name: str, target: Target, plan: Plan) -> str:
    manifest = mesh.manifest(name)
    if manifest is None:
        return ""
    found = preview(manifest, orders.first(target, plan, name))
    return found.text if isinstance(found, Refused) else found[1]


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None


def _token(settings: Settings) -> Token:
    value = settings.hooks_token.get_secret_value() if settings.hooks_token is not None else ""
    return Token(value, frozenset(host.lower() for host in settings.hooks_hosts))
