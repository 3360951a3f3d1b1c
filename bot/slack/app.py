"""The Bolt app, and the two ways Slack's payloads reach it."""

import logging
import os
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException

from slack_bolt import App, BoltRequest
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.errors import Transient
from bot.slack.listeners import listen
from bot.slack.reception import Reception
from bot.slack.replies import Replies
from bot.slack.web import cause, sdk_log, translated

log = logging.getLogger(__name__)
CHECK = 1.0
SLOWEST = 15.0


def build(reception: Reception, replies: Replies, web: WebClient, signing_secret: str = "") -> App:
    """The app with its listeners. Nothing is asked of Slack here, so that a start does not need Slack.

    Listeners run to their end before the answer (`process_before_response`): what is acknowledged is stored.
    """

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        # One workspace, one token; Bolt's own way would call auth.test before the first acknowledgement.
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=web.token)

    app = App(
        name="sluice",
        logger=sdk_log,
        client=WebClient(base_url=web.base_url, timeout=web.timeout, proxy=web.proxy, retry_handlers=[]),
        authorize=authorize,
        signing_secret=signing_secret,
        process_before_response=True,
    )
    listen(app, reception, replies)
    return app


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What goes back to Slack."""

    status: int
    headers: Mapping[str, str]
    body: str


class HttpDoor:
    """Signed HTTP: the request URL's handler, to be mounted by whoever serves HTTP."""

    def __init__(self, app: App, signing_secret: str) -> None:
        if not signing_secret:
            raise ValueError("the http transport needs SLUICE_SLACK_SIGNING_SECRET: unsigned payloads are nobody's")
        self._app = app

    def handle(self, headers: Mapping[str, str], body: str) -> HttpAnswer:
        """Answer one POST; a wrong or old signature gets 401 and reaches nobody."""
        answer = self._app.dispatch(BoltRequest(body=body, headers={name: value for name, value in headers.items()}))
        kept = {name: values[0] for name, values in answer.headers.items() if values and name != "set-cookie"}
        return HttpAnswer(answer.status, kept, answer.body or "")


class SocketDoor:
    """Socket Mode: keeps one connection open, from the start on and after every break."""

    def __init__(self, app: App, app_token: str, web: WebClient) -> None:
        # The SDK's client opens connections with the Web API client it is given, hence with its base URL.
        self._handler = SocketModeHandler(app, app_token, web_client=web, logger=sdk_log)
        self._client = self._handler.client
        self._client.proxy = web.proxy
        self._trouble = "Slack's Socket Mode is not connected yet"
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="slack-socket", daemon=True)

    def start(self) -> None:
        """Begin connecting in the background; `troubles` says how it goes."""
        self._thread.start()

    def stop(self) -> None:
        """Close the connection and let go of the threads, also when one is being opened right now."""
        self._stopping.set()
        # Each new connection of the SDK starts from the default again.
        self._client.default_auto_reconnect_enabled = self._client.auto_reconnect_enabled = False
        self._client.closed = True
        if self._thread.is_alive():
            self._thread.join(2)
        self._close()

    def _close(self) -> None:
        # The SDK's dispatcher sleeps a second on its queue; nothing to dispatch wakes it.
        self._client.message_queue.put(None)
        self._hang_up()
        self._handler.close()  # type: ignore[no-untyped-call]  # bolt leaves it bare

    def troubles(self) -> Sequence[str]:
        """Why no payload can arrive now; empty while connected."""
        return (self._trouble,) if self._trouble else ()

    def _hang_up(self) -> None:
        # The SDK's reader holds its lock for up to 3 s in recv; an ended socket wakes it at once.
        connection = self._client.current_session.sock if self._client.current_session is not None else None
        if connection is None:
            return
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError as error:
            log.debug("the connection had ended already: %s", error)

    def _keep(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._drop_if_cut()
            if self._client.is_connected():
                self._trouble, failures = "", 0
            else:
                self._connect()
                failures += 1
            self._stopping.wait(min(CHECK * 2 ** min(max(failures - 1, 0), 10), SLOWEST))

    def _drop_if_cut(self) -> None:
        # The SDK reads an ended connection for the better part of a minute, without pause and hearing nothing.
        session = self._client.current_session
        if session is not None and _is_cut(session.sock):
            log.warning("Slack cut the Socket Mode connection")
            try:
                session.close()
            except (OSError, AttributeError) as error:
                log.debug("the SDK closed it in the same moment: %s", error)

    def _connect(self) -> None:
        try:
            self._client.connect_to_new_endpoint()
        except SlackApiError as error:
            why = translated("apps.connections.open", error)
            is_passing = isinstance(why, Transient)
            code = error.response.get("error")
            refused = f"Slack refuses Socket Mode: {code}; check SLUICE_SLACK_APP_TOKEN"
            self._failed(f"Slack's Socket Mode cannot be reached: {why}" if is_passing else refused)
        except (OSError, HTTPException, SlackClientError) as error:
            self._failed(f"Slack's Socket Mode cannot be reached: {cause(error)}")
        else:
            if self._stopping.is_set():
                # Whoever stopped has not waited for this one.
                self._close()
            # The loop looks at the connection itself; a refused handshake raises nothing.
            elif self._client.is_connected():
                log.info("connected to Slack by Socket Mode")
            else:
                self._failed("Slack's Socket Mode refused the connection")

    def _failed(self, text: str) -> None:
        if self._trouble != text:
            log.warning("%s; trying on", text)
        self._trouble = text


def _is_cut(connection: socket.socket | None) -> bool:
    """True when the other side has ended the connection and nothing is left to be read."""
    if connection is None:
        return False
    try:
        # Looked at below TLS, whose sockets cannot be looked at without reading.
        with socket.socket(fileno=os.dup(connection.fileno())) as below:
            return below.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError as error:
        log.debug("the connection cannot be read any more: %s", error)
        return True
