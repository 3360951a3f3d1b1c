"""One stand-in and one client per test, or shared by the tests of one module where connecting is dear."""

import time
from collections.abc import Iterator

import pytest
from slack_sdk import WebClient

from bot.sandbox.slack import Settings, SlackStandIn, SlackThread
from tests.contract.slack.probe import Probe, over_sockets

EVERY_SCOPE = Settings().scopes | {"channels:read", "channels:history", "reactions:write"}


class Clock:
    """The wall clock, which a test may push forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


def served(settings: Settings, clock: Clock | None = None) -> SlackThread:
    return SlackThread(SlackStandIn(settings, clock=clock or Clock()))


def client_of(slack: SlackThread, token: str | None = None) -> WebClient:
    settings = slack.stand_in.settings
    return WebClient(token=token or settings.bot_token, base_url=slack.stand_in.api_url, timeout=5)


@pytest.fixture
def slack(clock: Clock) -> Iterator[SlackThread]:
    settings = Settings(scopes=EVERY_SCOPE, rate_limits=False, files_ready_after=0.15)
    with served(settings, clock) as thread:
        yield thread


@pytest.fixture
def web(slack: SlackThread) -> WebClient:
    return client_of(slack)


@pytest.fixture(scope="module")
def shared() -> Iterator[SlackThread]:
    settings = Settings(rate_limits=False, acknowledge_within=0.6, retry_events_after=(0.05, 0.1, 0.1))
    with served(settings) as thread:
        yield thread


@pytest.fixture(scope="module")
def connected(shared: SlackThread) -> Iterator[Probe]:
    probe = Probe(client_of(shared))
    with over_sockets(shared, probe.app):
        yield probe


@pytest.fixture
def probe(shared: SlackThread, connected: Probe) -> Iterator[Probe]:
    yield connected
    connected.forget()
    connected.on_command = lambda ack, body, respond: ack()
    connected.on_click = lambda ack, body, respond: ack()
    connected.on_submit = lambda ack, body: ack()
    shared.read(shared.stand_in.faults.clear)
