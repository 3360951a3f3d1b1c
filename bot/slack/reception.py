"""From a payload to a private answer: parse, ask the desk, render; nothing remote."""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol

from bot.courtesy import Hurry
from bot.errors import SluiceError
from bot.ports import Clock
from bot.requests import (
    AdoptRequest,
    Answer,
    HelpRequest,
    ListRequest,
    PreflightRequest,
    Request,
    Said,
    StartRequest,
    StatusRequest,
)
from bot.slack import answers, buttons, commands, payloads
from bot.slack.blocks import Message
from bot.slack.payloads import Body
from strategies.reasons import ReasonCode, Refused
from strategies.release import Actor

log = logging.getLogger(__name__)
NOT_A_CARD = Refused(ReasonCode.UNKNOWN_RELEASE, "This message belongs to no release; use it on a release's card.")


class Desk(Protocol):
    """Takes a request under its key and answers from the database and caches alone."""

    def answer(self, request: Request, actor: Actor, key: str) -> Answer | Refused:
        """The answer or the refusal; a repeated key does nothing twice."""
        ...

    def plan(self, request: StartRequest) -> Answer | Refused:
        """What a start would do; asks neighbours, so never within an acknowledgement."""
        ...

    def adopt(self, request: AdoptRequest, actor: Actor, key: str) -> Answer | Refused:
        """Do what was taken on; takes as long as the cluster does."""
        ...

    def preflight(self, request: PreflightRequest) -> Answer | Refused:
        """The gates over the last days; asks neighbours, so never within an acknowledgement."""
        ...


class Directory(Protocol):
    """Who somebody is, known without asking anybody."""

    def actor(self, user: str, name: str = "") -> Actor:
        """The person with roles and groups."""
        ...

    def doubt(self, actor: Actor) -> str:
        """Why nobody can say yet what this person may do; empty when it is known."""
        ...


# An answer that asks neighbours first: acknowledged without words, and sent when it is there.
Later = Callable[[], Message]
# The release whose root message or thread stands at (channel, ts), None when there is none.
Threads = Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """Everything a listener needs to answer."""

    desk: Desk
    people: Directory
    threads: Threads
    clock: Clock
    zone: tzinfo
    command: str
    hurry: Hurry = nullcontext  # around what Slack waits for

    def typed(self, body: Body) -> Message | Later:
        """A slash command."""
        return self._answered(commands.parse(str(body.get("text") or ""), self.clock.now(), self.zone), body)

    def clicked(self, body: Body) -> Message | Later | None:
        """A button; None when the card itself will show what it did."""
        request = buttons.parse(payloads.action(body))
        answer = self._asked(request, body)
        if isinstance(request, AdoptRequest) and isinstance(answer, Said):
            # Taken on and stored; the cluster is changed after Slack has its answer.
            adopted, person, key = request, self.people.actor(*payloads.person(body)), payloads.key(body)
            return lambda: self._rendered(self._adopted(adopted, person, key), adopted)
        # A private card is not brought up to date by anybody else, so there the answer takes its place.
        if isinstance(answer, Said) and not payloads.address(body).replaces:
            return None
        return self._rendered(answer, request)

    def mentioned(self, body: Body) -> Message | Later | None:
        """The app's name in a thread or channel; None for what bots say and for edits."""
        event = payloads.part(body, "event")
        if event.get("bot_id") or event.get("edited") or event.get("subtype"):
            return None
        text, thread = payloads.said(event), str(event.get("thread_ts") or "")
        release = self.threads(str(event.get("channel") or ""), thread) if thread else None
        if release:
            request = commands.parse_in_thread(text, release, self.clock.now(), self.zone)
        else:
            request = commands.parse(text, self.clock.now(), self.zone)
        return self._answered(request, body)

    def chosen(self, body: Body) -> Message:
        """The message shortcut: the release's card with its buttons."""
        message = payloads.part(body, "message")
        ts = str(message.get("thread_ts") or message.get("ts") or "")
        release = payloads.release_of(message) or self.threads(payloads.address(body).channel, ts)
        request = StatusRequest(release) if release else NOT_A_CARD
        return self._rendered(self._asked(request, body), request)

    def _answered(self, request: Request | Refused, body: Body) -> Message | Later:
        if isinstance(request, StartRequest) and request.dry:
            return lambda: self._rendered(self._planned(request), request)
        if isinstance(request, PreflightRequest):
            return lambda: self._rendered(self._preflighted(request), request)
        return self._rendered(self._asked(request, body), request)

    def _planned(self, request: StartRequest) -> Answer | Refused | Message:
        try:
            return self.desk.plan(request)
        except SluiceError as error:
            log.error("not planned: %s %s: %s", request.service, request.version, error)
            return answers.trouble(f"That could not be planned: {error}", self.command)

    def _adopted(self, request: AdoptRequest, actor: Actor, key: str) -> Answer | Refused | Message:
        try:
            return self.desk.adopt(request, actor, key)
        except SluiceError as error:
            log.error("not adopted: %s: %s", request.service, error)
            return answers.trouble(f"{request.service} was not adopted: {error}", self.command)

    def _preflighted(self, request: PreflightRequest) -> Answer | Refused | Message:
        try:
            return self.desk.preflight(request)
        except SluiceError as error:
            log.error("no preflight: %s %s: %s", request.service, request.version, error)
            return answers.trouble(f"The preflight did not work: {error}", self.command)

    def _asked(self, request: Request | Refused, body: Body) -> Answer | Refused | Message:
        if isinstance(request, Refused):
            return request
        if isinstance(request, HelpRequest):
            return answers.guide(request.topic, self.command)
        actor = self.people.actor(*payloads.person(body))
        doubt = "" if isinstance(request, StatusRequest | ListRequest) else self.people.doubt(actor)
        if doubt:
            # Refused for a role that they may well have, their request would be spent: it is not taken at all.
            log.warning("not asked: %s by %s: %s", type(request).__name__, actor.id, doubt)
            return answers.trouble(f"That was not taken: {doubt}. Try again in a few seconds", self.command)
        try:
            with self.hurry():
                return self.desk.answer(request, actor, payloads.key(body))
        except SluiceError as error:
            log.error("not answered: %s by %s: %s", type(request).__name__, actor.id, error)
            return answers.trouble(
                f"That did not work: {error}. Look where things stand before you repeat it", self.command
            )

    def _rendered(self, answer: Answer | Refused | Message, request: Request | Refused) -> Message:
        if isinstance(answer, Message):
            return answer
        return answers.render(answer, self.command, None if isinstance(request, Refused) else request)
