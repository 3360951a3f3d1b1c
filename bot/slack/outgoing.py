"""The Chat port on Slack's Web API: posts, updates, lines and pictures."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from slack_sdk import WebClient

from bot.errors import Fault, SluiceError, Transient
from bot.ports import Card, Line, Picture, Posted
from bot.slack import cards, stage_cards
from bot.slack.blocks import Message
from bot.slack.limits import ALT_TEXT
from bot.slack.questions import place
from bot.slack.text import clean, fit, mention, shorten
from bot.slack.web import Refusal, called
from strategies.effects import Audience
from strategies.release import Role

log = logging.getLogger(__name__)
REMEMBERED = 5_000
# The message is gone or closed for edits: a new one takes its place.
_LOST = frozenset(
    {"message_not_found", "edit_window_closed", "is_inactive", "cant_update_message", "cannot_update_message"}
)


class Holders(Protocol):
    """Who holds a role, for mentions."""

    def holders(self, role: Role) -> tuple[str, ...]:
        """User and group ids."""
        ...


class SlackChat:
    """Messages of releases in Slack. A call that changes nothing that is seen makes no request."""

    def __init__(self, web: WebClient, people: Holders, *, command: str) -> None:
        self._web = web
        self._people = people
        self._command = command
        self._seen: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._lock = threading.Lock()
        self._trouble = ""

    def show_root(self, card: Card, posted: Posted | None) -> Posted:
        """Post or update the root message; a lost one is posted anew, and linked by the call after."""
        message = cards.root(card, self._command)
        if posted is None:
            return self._posted(card, card.release.channel, message)
        shown = self._updated(card, message, posted)
        if shown is None:
            return self._posted(card, posted.channel, message)
        return shown if shown.permalink else self._linked(shown)

    def show_stage(self, card: Card, stage: int, picture: Picture | None, posted: Posted | None) -> Posted:
        """Post or update a stage's message in the thread; its picture follows and never holds it up."""
        root = _root(card)
        asked = card.mention_approvers or self._people.holders(Role.APPROVER)
        message = stage_cards.stage(replace(card, mention_approvers=asked), stage, self._command)
        shown = self._updated(card, message, posted) if posted else None
        shown = shown or self._posted(card, root.channel, message, thread=root.ts)
        if picture is not None:
            self._pictured(card, root, picture)
        return shown

    def say(self, card: Card, line: Line) -> Posted:
        """Post one line into the thread; a broadcast is words alone, since Slack drops its buttons."""
        root = _root(card)
        text = f"{self._mentions(card, line.audience)}{fit(line.text, 3_500)}"
        answer = self._call(
            self._web.chat_postMessage,
            channel=root.channel,
            thread_ts=root.ts,
            text=text,
            reply_broadcast=line.is_broadcast,
            unfurl_links=False,
            unfurl_media=False,
            metadata=_metadata(card),
        )
        return Posted(str(answer["channel"]), str(answer["ts"]))

    def call(self, card: Card, text: str) -> Posted:
        """Post a new channel message that mentions on-call."""
        channel = card.root.channel if card.root else card.release.channel
        link = f" <{card.root.permalink}|open the release>" if card.root and card.root.permalink else ""
        words = f"🔴 {self._mentions(card, Audience.ON_CALL)}{fit(text, 3_000)}{link}"
        answer = self._call(
            self._web.chat_postMessage,
            channel=channel,
            text=words,
            unfurl_links=False,
            unfurl_media=False,
            metadata=_metadata(card),
        )
        return Posted(str(answer["channel"]), str(answer["ts"]))

    def tell(self, card: Card, text: str, audience: Audience) -> None:
        """Speak to each of these people in their conversation with the app; a group has none."""
        lost: SluiceError | None = None
        for id in self._people_of(card, audience):
            # A person who is reached says nothing of the channel, which may still be the trouble.
            try:
                if not id.startswith("S"):
                    message = {"text": fit(text, 3_500), "unfurl_links": False, "unfurl_media": False}
                    called(self._web.chat_postMessage, channel=id, **message)
            except SluiceError as error:
                lost = error
        if lost is not None:
            raise lost

    def troubles(self) -> Sequence[str]:
        """Why the last call failed; empty once one succeeds."""
        return (self._trouble,) if self._trouble else ()

    def _posted(self, card: Card, channel: str, message: Message, thread: str | None = None) -> Posted:
        if not channel:
            raise Fault(f"{card.release.id} has no channel: name one in its profile or set SLUICE_SLACK_CHANNEL")
        answer = self._call(
            self._web.chat_postMessage,
            channel=channel,
            thread_ts=thread,
            unfurl_links=False,
            unfurl_media=False,
            metadata=_metadata(card),
            **message.payload(),
        )
        posted = Posted(str(answer["channel"]), str(answer["ts"]))
        self._remember(posted, message)
        return posted

    def _updated(self, card: Card, message: Message, posted: Posted) -> Posted | None:
        """The same message brought up to date, None when it is no longer there."""
        if self._seen.get((posted.channel, posted.ts)) == message.digest:
            return posted
        try:
            self._call(
                self._web.chat_update,
                channel=posted.channel,
                ts=posted.ts,
                metadata=_metadata(card),
                **message.payload(),
            )
        except Refusal as refusal:
            if refusal.code not in _LOST:
                raise
            self._trouble = ""
            log.warning("release=%s: a message is gone (%s) and is posted anew", card.release.id, refusal.code)
            return None
        self._remember(posted, message)
        return posted

    def _linked(self, posted: Posted) -> Posted:
        # A link is a comfort: without it the message still stands, and the next update asks again.
        try:
            answer = called(self._web.chat_getPermalink, channel=posted.channel, message_ts=posted.ts)
        except SluiceError as error:
            log.info("no permalink for now: %s", error)
            return posted
        return Posted(posted.channel, posted.ts, str(answer["permalink"]))

    def _pictured(self, card: Card, root: Posted, picture: Picture) -> None:
        # The same evidence stands in the message as a table, so a refused picture costs nothing else.
        title = f"{card.release.target.service} {card.release.target.candidate}"
        try:
            called(
                self._web.files_upload_v2,
                channel=root.channel,
                thread_ts=root.ts,
                content=picture.png,
                filename=f"{card.release.id}.png",
                title=shorten(title, 200),
                alt_txt=shorten(clean(picture.alt_text), ALT_TEXT),
            )
        except SluiceError as error:
            log.warning("release=%s: the picture was left out: %s", card.release.id, error)

    def _people_of(self, card: Card, audience: Audience) -> tuple[str, ...]:
        ids = {
            Audience.NOBODY: (),
            Audience.APPROVERS: card.mention_approvers or self._people.holders(Role.APPROVER),
            Audience.REQUESTER: (card.release.requester.id,),
            Audience.ON_CALL: self._people.holders(Role.ON_CALL),
            Audience.REQUESTER_AND_ON_CALL: (card.release.requester.id, *self._people.holders(Role.ON_CALL)),
        }[audience]
        return tuple(id for id in dict.fromkeys(ids) if mention(id).startswith("<"))[:20]

    def _mentions(self, card: Card, audience: Audience) -> str:
        known = [mention(id) for id in self._people_of(card, audience)]
        return " ".join([*known, ""]) if known else ""

    def _remember(self, posted: Posted, message: Message) -> None:
        with self._lock:
            self._seen[posted.channel, posted.ts] = message.digest
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)

    def _call(self, method: object, **arguments: object) -> dict[str, object]:
        try:
            answer = called(method, **arguments)  # type: ignore[arg-type]  # the SDK's methods share no protocol
        except SluiceError as error:
            self._trouble = str(error)
            raise
        self._trouble = ""
        data = answer.data
        return data if isinstance(data, dict) else {}


def _root(card: Card) -> Posted:
    if card.root is None:
        raise Transient(f"{card.release.id} has no root message yet")
    return card.root


def _metadata(card: Card) -> dict[str, object]:
    """Ids only: every app of the workspace can read this."""
    where = place(card.release)
    payload = {"release": where.release, "stage": where.stage, "revision": where.revision}
    return {"event_type": "sluice_release", "event_payload": payload}
