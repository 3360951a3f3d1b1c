"""One stand-in and one client per test, or shared by the tests of one module where connecting is dear."""

import time
from collections.abc import Awaitable, Iterator
from dataclasses import replace
from typing import TypeVar

import pytest
from slack_sdk import WebClient

from bot.sandbox.slack import Settings, SlackStandIn, SlackThread
from tests.contract.patience import PATIENCE
from tests.contract.slack.probe import Probe, over_sockets

T = TypeVar("T")
# Less than the thread of the stand-in waits for its own coroutines.
ACKNOWLEDGE = PATIENCE / 2
EVERY_SCOPE = Settings().scopes | {"channels:read", "channels:history", "reactions:write"}


class Clock:
    """Stands still at the present, whatever a test takes, until it is pushed forward."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._present = time.time()

    def __call__(self) -> float:
        return self._present + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


def served(settings: Settings, clock: Clock | None = None) -> SlackThread:
    return SlackThread(SlackStandIn(settings, clock=clock or Clock()))


def client_of(slack: SlackThread, token: str | None = None) -> WebClient:
    settings = slack.stand_in.settings
    return WebClient(token=token or settings.bot_token, base_url=slack.stand_in.api_url, timeout=int(PATIENCE))


async def impatiently(slack: SlackThread, delivery: Awaitable[T], patience: float = 0.1) -> T:
    """What comes of a delivery for whose acknowledgement Slack hardly waits; what it repeats has time again."""
    state = slack.stand_in.state
    state.settings, patient = replace(state.settings, acknowledge_within=patience), state.settings
    try:
        return await delivery
    finally:
        state.settings = patient


@pytest.fixture
def slack(clock: Clock) -> Iterator[SlackThread]:
    settings = Settings(scopes=EVERY_SCOPE, rate_limits=False)
    with served(settings, clock) as thread:
        yield thread


@pytest.fixture
def web(slack: SlackThread) -> WebClient:
    return client_of(slack)


@pytest.fixture(scope="module")
def shared() -> Iterator[SlackThread]:
    settings = Settings(rate_limits=False, acknowledge_within=ACKNOWLEDGE, retry_events_after=(0.05, 0.1, 0.1))
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
