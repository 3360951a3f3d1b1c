"""What people do in channels: commands, clicks, mentions, shortcuts."""

from bot.sandbox.slack import payloads
from bot.sandbox.slack.answers import answer
from bot.sandbox.slack.courier import Answer, Courier
from bot.sandbox.slack.delivery import PayloadKind
from bot.sandbox.slack.elements import chosen, find
from bot.sandbox.slack.hooks import Hook
from bot.sandbox.slack.messages import Message
from bot.sandbox.slack.mrkdwn import typed
from bot.sandbox.slack.outcome import DriverError, Outcome
from bot.sandbox.slack.state import State
from bot.sandbox.slack.wire import ApiError, Json
from bot.sandbox.slack.workspace import Channel, User


class Hands:
    """Acts for a person; people and channels are named by id or by name."""

    def __init__(self, state: State, courier: Courier) -> None:
        self._state = state
        self._courier = courier

    async def command(self, user: str, text: str, channel: str = "releases") -> Outcome:
        """Type `/release ...`; what the app acknowledges with is shown as Slack shows it."""
        person, place = self._where(user, channel)
        name, _, words = text.partition(" ")
        if name not in self._state.settings.commands:
            raise DriverError("unknown_command", f"{name} is not a valid command")
        received = typed(words.strip(), self._names(labelled=True))
        document = payloads.command(self._state, person, place, name=name, text=received)
        taken = await self._courier.deliver(PayloadKind.COMMAND, document)
        if taken.error is None and taken.body.get("text", taken.body.get("blocks")):
            self._show(Hook(channel=place.id, user=person.id, until=0, uses_left=0), taken.body)
        return self._outcome(taken, person, place, f"`{name}` failed with the error")

    async def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        confirmed: bool = True,
        value: object = None,
    ) -> Outcome:
        """Press a button or choose in a menu of a message as it stands now.

        With `confirmed` False an element that asks back answers with its dialog and nothing is sent.
        """
        person, place = self._where(user, channel)
        message = self._message(person, place, ts)
        found = find(message.blocks, action_id, value)
        if found is None:
            raise DriverError("no_such_element", f"there is no {action_id} in this message")
        block_id, element = found
        if "confirm" in element and not confirmed:
            return Outcome(confirm=element["confirm"])
        return await self._act(person, message, block_id, element, value)

    async def stale_click(self, user: str, channel: str, ts: str, action_id: str, value: object = None) -> Outcome:
        """Press a button that an earlier version of the message had, as a slow phone still shows it."""
        person, place = self._where(user, channel)
        message = self._state.messages.recall(place.id, ts)
        versions = [*message.past, message.blocks] if message else []
        for blocks in reversed(versions):
            found = find(blocks, action_id, value)
            if message is not None and found is not None:
                return await self._act(person, message, *found, value)
        raise DriverError("no_such_element", f"there never was {action_id} in this message")

    async def mention(self, user: str, text: str, channel: str = "releases", thread_ts: str | None = None) -> Outcome:
        """Say something to the app in a channel or thread; a text that does not name it is prefixed."""
        person, place = self._where(user, channel)
        said = typed(text, self._names(labelled=False))
        bot = f"<@{self._state.settings.bot_user}>"
        message = self._state.say(
            Message(
                channel=place.id,
                ts=self._state.timestamps.next(),
                user=person.id,
                text=said if bot in said else f"{bot} {said}",
                thread_ts=thread_ts,
            )
        )
        taken = await self._courier.announce(payloads.mention(self._state, message))
        return Outcome(acknowledged=taken.error is None, seconds=taken.seconds, ts=message.ts)

    async def say(self, user: str, text: str, channel: str = "releases", thread_ts: str | None = None) -> Outcome:
        """Say something that is not for the app."""
        person, place = self._where(user, channel)
        said = typed(text, self._names(labelled=False))
        ts = self._state.timestamps.next()
        message = Message(channel=place.id, ts=ts, user=person.id, text=said, thread_ts=thread_ts)
        return Outcome(ts=self._state.say(message).ts)

    async def shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> Outcome:
        """Choose a message shortcut from a message's menu."""
        person, place = self._where(user, channel)
        message = self._message(person, place, ts)
        document = payloads.shortcut(self._state, person, message, callback_id)
        taken = await self._courier.deliver(PayloadKind.INTERACTION, document)
        return self._outcome(taken, person, place, f"`{callback_id}` failed with the error")

    async def _act(self, person: User, message: Message, block_id: str, element: Json, value: object) -> Outcome:
        action = action_of(self._state, block_id, element, value)
        document = payloads.message_action(self._state, person, message, action)
        taken = await self._courier.deliver(PayloadKind.INTERACTION, document)
        return self._outcome(taken, person, self._state.channels[message.channel], "This app did not respond:")

    def _where(self, user: str, channel: str) -> tuple[User, Channel]:
        person, place = self._state.user(user), self._state.channel(channel)
        if person is None or place is None:
            raise DriverError("unknown", f"nobody called {user}, or no channel {channel}")
        if not place.holds(person.id):
            raise DriverError("not_in_channel", f"{person.name} is not in {place.name}")
        return person, place

    def _message(self, person: User, place: Channel, ts: str) -> Message:
        message = self._state.messages.find(place.id, ts)
        if message is None or not message.is_visible_to(person.id):
            raise DriverError("message_not_found", f"{person.name} sees no message {ts} in {place.name}")
        return message

    def _names(self, *, labelled: bool) -> dict[str, str]:
        people = {f"@{u.name}": f"<@{u.id}|{u.name}>" if labelled else f"<@{u.id}>" for u in self._state.users.values()}
        groups = {f"@{g.handle}": f"<!subteam^{g.id}|@{g.handle}>" for g in self._state.groups.values()}
        channels = {f"#{c.name}": f"<#{c.id}|{c.name}>" for c in self._state.channels.values() if not c.is_im}
        return {**people, **groups, **channels}

    def _show(self, hook: Hook, body: Json) -> None:
        try:
            answer(self._state, hook, body)
        except ApiError as refusal:
            self._state.whisper(hook.user, hook.channel, f"The app's answer was refused: {refusal.code}", refusal.code)

    def _outcome(self, taken: Answer, person: User, place: Channel, complaint: str) -> Outcome:
        if taken.error is not None:
            self._state.whisper(person.id, place.id, f'{complaint} "{taken.error}"', taken.error)
        return Outcome(acknowledged=taken.error is None, seconds=taken.seconds, error=taken.error)


def action_of(state: State, block_id: str, element: Json, value: object) -> Json:
    """The entry of `actions` for acting on an element; refused when it offers no such value."""
    added = chosen(element, value)
    if added is None:
        raise DriverError("no_such_option", f"{element['action_id']} offers no {value!r}")
    shown = {"text": element["text"]} if element["type"] == "button" else {}
    kind = {"type": element["type"], "action_id": element["action_id"], "block_id": block_id}
    return {**kind, **shown, **added, "action_ts": state.timestamps.next()}
