"""A small Bolt app that shows what reaches an app and how its answers arrive."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from slack_bolt import Ack, App, Respond
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.socket_mode import SocketModeClient

from bot.sandbox.slack import SlackThread
from tests.contract.patience import PATIENCE, until

FIELD = {
    "type": "input",
    "block_id": "version",
    "label": {"type": "plain_text", "text": "Version"},
    "element": {"type": "plain_text_input", "action_id": "text"},
}
DEFAULTED = {
    "type": "input",
    "block_id": "strategy",
    "label": {"type": "plain_text", "text": "Strategy"},
    "element": {
        "type": "static_select",
        "action_id": "choice",
        "options": [{"text": {"type": "plain_text", "text": name}, "value": name} for name in ("canary", "shadow")],
        "initial_option": {"text": {"type": "plain_text", "text": "canary"}, "value": "canary"},
    },
}


def modal(title: str = "New release", *blocks: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "release_new",
        "title": {"type": "plain_text", "text": title},
        "submit": {"type": "plain_text", "text": "Plan"},
        "blocks": list(blocks) or [FIELD, DEFAULTED],
    }


def button(action_id: str = "release_approve", **more: Any) -> dict[str, Any]:
    text = {"type": "plain_text", "text": "Approve"}
    return {"type": "button", "action_id": action_id, "text": text, "value": "1", **more}


def buttons(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "actions", "block_id": "gate:reviews-1:1:1", "elements": list(elements) or [button()]}]


class Probe:
    """Records every payload by kind; what it does next is set by the test."""

    def __init__(self, client: WebClient, signing_secret: str = "") -> None:
        self.client = client
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.retries: list[str] = []
        self.ignored_mentions = 0
        self.on_command: Callable[[Ack, dict[str, Any], Respond], object] = lambda ack, body, respond: ack()
        self.on_click: Callable[[Ack, dict[str, Any], Respond], object] = lambda ack, body, respond: ack()
        self.on_submit: Callable[[Ack, dict[str, Any]], object] = lambda ack, body: ack()
        self._grown = threading.Condition()
        self.app = App(client=client, signing_secret=signing_secret)
        self.app.command("/release")(self._command)
        self.app.action("release_approve")(self._click)
        self.app.view("release_new")(self._submit)
        self.app.view_closed("release_new")(self._closed)
        self.app.shortcut("release_actions")(self._shortcut)
        self.app.event("app_mention")(self._mention)
        self.app.event("app_home_opened")(self._home)

    def wait(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """The payloads of a kind, once there are so many."""
        with self._grown:
            arrived = self._grown.wait_for(lambda: len(self._of(kind)) >= count, PATIENCE)
            assert arrived, f"{len(self._of(kind))} of {count} {kind} arrived"
            return self._of(kind)

    def forget(self) -> None:
        with self._grown:
            self.seen.clear()
            self.retries.clear()

    def _of(self, kind: str) -> list[dict[str, Any]]:
        return [body for name, body in self.seen if name == kind]

    def _note(self, kind: str, body: dict[str, Any]) -> None:
        with self._grown:
            self.seen.append((kind, body))
            self._grown.notify_all()

    def _command(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        self._note("command", body)
        self.on_command(ack, body, respond)

    def _click(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        self._note("click", body)
        self.on_click(ack, body, respond)

    def _submit(self, ack: Ack, body: dict[str, Any]) -> None:
        self._note("submit", body)
        self.on_submit(ack, body)

    def _closed(self, ack: Ack, body: dict[str, Any]) -> None:
        ack()
        self._note("closed", body)

    def _shortcut(self, ack: Ack, body: dict[str, Any]) -> None:
        ack()
        self._note("shortcut", body)

    def _mention(self, body: dict[str, Any], request: Any) -> None:
        self.retries += request.headers.get("x-slack-retry-num", [])
        self._note("mention", body)

    def _home(self, body: dict[str, Any]) -> None:
        self._note("home", body)


@contextmanager
def over_sockets(slack: SlackThread, *apps: App) -> Iterator[list[SocketModeHandler]]:
    """Real Socket Mode handlers, connected, closed at the end."""
    before = slack.read(lambda: slack.stand_in.sockets.connections)
    handlers = [SocketModeHandler(app, slack.stand_in.settings.app_token, ping_interval=1) for app in apps]
    try:
        for handler in handlers:
            handler.connect()  # type: ignore[no-untyped-call]  # bolt leaves it bare
        until(lambda: slack.read(lambda: slack.stand_in.sockets.connections) == before + len(apps))
        yield handlers
    finally:
        closing = [threading.Thread(target=_closed, args=(handler.client, handler)) for handler in handlers]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join()


def _closed(client: SocketModeClient, handler: SocketModeHandler) -> None:
    """Closed for good: one that is on its way back from a cut connection is waited for, or its socket would be left."""
    client.default_auto_reconnect_enabled = client.auto_reconnect_enabled = False
    with client.connect_operation_lock:
        pass
    handler.close()  # type: ignore[no-untyped-call]  # bolt leaves it bare
