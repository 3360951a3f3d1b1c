"""The stand-in put together: its state, its servers, its people and its faults."""

import time
from collections.abc import AsyncGenerator, Sequence

from aiohttp import web

from bot.sandbox.slack.clock import Clock
from bot.sandbox.slack.control import Control
from bot.sandbox.slack.courier import Courier
from bot.sandbox.slack.delivery import Payload, Retry
from bot.sandbox.slack.faults import Faults
from bot.sandbox.slack.hands import Hands
from bot.sandbox.slack.modal_hands import ModalHands
from bot.sandbox.slack.outcome import DriverError
from bot.sandbox.slack.presentation import seen_message
from bot.sandbox.slack.rates import Rates
from bot.sandbox.slack.server import Server
from bot.sandbox.slack.signed_http import SignedHttp
from bot.sandbox.slack.socket_mode import SocketMode
from bot.sandbox.slack.state import State
from bot.sandbox.slack.web_api import WebApi
from bot.sandbox.slack.wire import Json
from bot.sandbox.slack.workspace import CHANNELS, GROUPS, PEOPLE, Channel, Delivery, Settings, User, UserGroup

_LARGEST_BODY = 64 * 1024 * 1024


class SlackStandIn:
    """A Slack with one workspace and one app, on loopback.

    Either `start` and `stop` it, or mount `application()` in a server of one's own and await `close`.
    Everything runs on the event loop that serves it; `SlackThread` is for callers without one.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        users: Sequence[User] = PEOPLE,
        groups: Sequence[UserGroup] = GROUPS,
        channels: Sequence[Channel] = CHANNELS,
        clock: Clock = time.time,
    ) -> None:
        self.settings = settings or Settings()
        self.state = State(self.settings, users=users, groups=groups, channels=channels, clock=clock)
        self.sockets = SocketMode(self.state)
        self.http = SignedHttp(self.state)
        self._delivery = self.settings.delivery
        self._courier = Courier(self.state, self)
        self._api = WebApi(self.state, self.sockets, opens_sockets=lambda: self._delivery is Delivery.SOCKET)
        self._server = Server()
        hands, modals = Hands(self.state, self._courier), ModalHands(self.state, self._courier)
        # What a person can do is spelled out in the two classes of hands.
        self.command = hands.command
        self.click = hands.click
        self.stale_click = hands.stale_click
        self.mention = hands.mention
        self.say = hands.say
        self.shortcut = hands.shortcut
        self.views = modals.views
        self.home = modals.home
        self.open_home = modals.open_home
        self.fill = modals.fill
        self.click_view = modals.click_view
        self.submit_view = modals.submit_view
        self.close_view = modals.close_view

    @property
    def faults(self) -> Faults:
        """The faults in force."""
        return self.state.faults

    @property
    def rates(self) -> Rates:
        """The rate limits, to be switched by their `enabled`."""
        return self.state.rates

    @property
    def api_url(self) -> str:
        """What `SLUICE_SLACK_API_URL` must be."""
        return f"{self.state.base_url}/api/"

    def application(self) -> web.Application:
        """Everything as one aiohttp application."""
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.add_routes(self._api.routes())
        application.add_routes(Control(self).routes())
        return application

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Serve on loopback (a free port when 0); the base address."""
        self.state.base_url = await self._server.start(self.application(), host, port)
        return self.state.base_url

    async def stop(self) -> None:
        """Stop serving and let go of every socket, task and timer."""
        await self.close()
        await self._server.stop()

    async def close(self) -> None:
        """Let go of everything but the server."""
        self.state.cancel_timers()
        self.state.changes.close()
        await self._courier.close()
        await self.sockets.close()
        await self.http.close()

    async def refuse_connections(self) -> None:
        """Be down: every connection is cut and new ones are refused, the control endpoint's too."""
        await self._server.refuse()

    async def accept_connections(self) -> None:
        """Be up again, at the same address."""
        await self._server.accept()

    def refuse_connections_for(self, seconds: float) -> None:
        """Be down for a while, soon: for callers who could not say when to come back."""
        self._server.refuse_for(seconds)

    def deliver_by_http(self, request_url: str) -> None:
        """Deliver to this request URL from now on."""
        self._delivery = Delivery.HTTP
        self.http.request_url = request_url

    def deliver_by_socket(self) -> None:
        """Deliver over Socket Mode from now on."""
        self._delivery = Delivery.SOCKET

    async def send(self, payload: Payload, retry: Retry | None) -> Json:
        """Deliver one payload by the way in use."""
        transport = self.sockets if self._delivery is Delivery.SOCKET else self.http
        return await transport.send(payload, retry)

    def messages(self, user: str, channel: str = "releases", thread_ts: str | None = None) -> list[Json]:
        """What this person sees in a channel or one of its threads, oldest first."""
        person, place = self.state.user(user), self.state.channel(channel)
        if person is None or place is None:
            raise DriverError("unknown", f"nobody called {user}, or no channel {channel}")
        if not place.holds(person.id):
            return []
        seen = self.state.messages.seen_by(person.id, place.id)
        return [seen_message(self.state, m) for m in seen if thread_ts is None or thread_ts in (m.ts, m.thread_ts)]

    def subscribe(self) -> AsyncGenerator[Json, None]:
        """Every visible change from now on."""
        return self.state.changes.subscribe()
