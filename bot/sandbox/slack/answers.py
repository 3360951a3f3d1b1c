"""What the app answers outside the Web API: response_url posts and acknowledgement bodies."""

from bot.sandbox.slack.call import Call
from bot.sandbox.slack.content import read_content
from bot.sandbox.slack.hooks import Hook
from bot.sandbox.slack.messages import Message
from bot.sandbox.slack.state import State
from bot.sandbox.slack.wire import ApiError, Json


def answer(state: State, hook: Hook, document: Json) -> None:
    """Do what the app asks: say, replace or delete; refused like any message."""
    original = state.messages.find(hook.channel, hook.ts) if hook.ts else None
    call = Call(state, document)
    if call.flag("delete_original"):
        if original is None:
            raise ApiError("message_not_found")
        state.messages.remove(original)
        _tell(state, "message_deleted", original)
        return
    content = read_content(call)
    if call.flag("replace_original") and original is not None:
        edited = {"user": original.user, "ts": state.timestamps.next()} if content.text != original.text else None
        state.messages.change(original, text=content.text, blocks=content.blocks or [], edited=edited)
        _tell(state, "message_changed", original)
        return
    in_channel = document.get("response_type") == "in_channel"
    state.say(
        Message(
            channel=hook.channel,
            ts=state.timestamps.next(),
            user=state.settings.bot_user,
            text=content.text,
            blocks=content.blocks or [],
            thread_ts=call.text("thread_ts") or hook.thread_ts,
            ephemeral_to=None if in_channel else hook.user,
            by_app=True,
        )
    )


def _tell(state: State, kind: str, message: Message) -> None:
    state.changes.tell(
        kind, channel=message.channel, ts=message.ts, thread_ts=message.thread_ts, user=message.ephemeral_to
    )
