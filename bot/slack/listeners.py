"""Bolt's listeners: read, ask, acknowledge. Decisions live elsewhere."""

import json
import logging
import re
from typing import Any

from slack_bolt import Ack, App, BoltResponse

from bot.slack import answers, payloads
from bot.slack.blocks import Message
from bot.slack.reception import Reception
from bot.slack.replies import Replies

log = logging.getLogger(__name__)
SHORTCUT = "release_actions"
_ANY = re.compile(r".*", re.DOTALL)


def listen(app: App, reception: Reception, replies: Replies) -> None:
    """Register every listener. Each stores what was asked before it acknowledges, and calls nobody remote."""

    def on_command(ack: Ack, body: dict[str, Any]) -> None:
        answer = reception.typed(body)
        if isinstance(answer, Message):
            ack(response_type="ephemeral", **_kept(answer))
            return
        ack()
        replies.send(payloads.address(body), answer)

    def on_action(ack: Ack, body: dict[str, Any]) -> None:
        answer = reception.clicked(body)
        ack()
        if answer is not None:
            replies.send(payloads.address(body), answer)

    def on_mention(body: dict[str, Any]) -> None:
        answer = reception.mentioned(body)
        if answer is not None:
            replies.send(payloads.address(body), answer)

    def on_shortcut(ack: Ack, body: dict[str, Any]) -> None:
        answer = reception.chosen(body)
        ack()
        replies.send(payloads.address(body), answer)

    def on_error(error: Exception, body: dict[str, Any]) -> BoltResponse | None:
        return failed(error, body, reception.command, replies)

    app.command(reception.command)(on_command)
    app.action(_ANY)(on_action)
    app.event("app_mention")(on_mention)
    app.shortcut(SHORTCUT)(on_shortcut)
    app.error(on_error)


def failed(error: Exception, body: dict[str, Any], command: str, replies: Replies) -> BoltResponse | None:
    """Tell the person; an event is left unacknowledged instead, so that Slack brings it again."""
    log.error("a listener failed", exc_info=error)
    if "event" in body:
        return None
    answer = answers.failed_inside(command)
    if "command" in body:
        content = {"response_type": "ephemeral", **_kept(answer)}
        return BoltResponse(status=200, body=json.dumps(content), headers={"content-type": "application/json"})
    replies.send(payloads.address(body), answer)
    return BoltResponse(status=200, body="")


def _kept(message: Message) -> dict[str, Any]:
    return {"text": message.text, "blocks": list(message.blocks)}
