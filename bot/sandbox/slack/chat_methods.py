"""The Web API's chat.* and reactions.* methods."""

from bot.sandbox.slack.call import Call, Method, Methods
from bot.sandbox.slack.content import POSTED_CHARACTERS, UPDATED_CHARACTERS, read_content
from bot.sandbox.slack.messages import Message, without_interaction
from bot.sandbox.slack.presentation import api_message
from bot.sandbox.slack.rates import Tier
from bot.sandbox.slack.state import State
from bot.sandbox.slack.wire import ApiError, Json
from bot.sandbox.slack.workspace import Channel


def _writable(call: Call) -> Channel:
    channel = call.channel()
    if channel.is_archived:
        raise ApiError("is_archived")
    if not channel.bot_is_member:
        raise ApiError("not_in_channel")
    return channel


def thread_of(state: State, channel: Channel, thread_ts: str | None) -> str | None:
    """The thread to reply in; refused when its first message is gone or is itself a reply."""
    if thread_ts is None:
        return None
    parent = state.messages.find(channel.id, thread_ts)
    if parent is None or parent.ephemeral_to is not None:
        raise ApiError("thread_not_found")
    if parent.is_reply:
        raise ApiError("cannot_reply_to_message")
    return thread_ts


def _metadata(call: Call) -> Json | None:
    metadata = call.document("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or metadata.keys() != {"event_type", "event_payload"}:
        raise ApiError("invalid_metadata_format")
    return metadata


def _post_message(call: Call) -> Json:
    channel = _writable(call)
    thread_ts = thread_of(call.state, channel, call.text("thread_ts"))
    content, metadata = read_content(call), _metadata(call)
    call.state.rates.draw(Tier.POST, "chat.postMessage", channel.id)
    broadcast = call.flag("reply_broadcast") and thread_ts is not None
    blocks = content.blocks or []
    message = call.state.say(
        Message(
            channel=channel.id,
            ts=call.state.timestamps.next(),
            user=call.state.settings.bot_user,
            text=content.text[:POSTED_CHARACTERS],
            blocks=without_interaction(blocks) if broadcast else blocks,
            thread_ts=thread_ts,
            broadcast=broadcast,
            by_app=True,
            metadata=metadata,
        )
    )
    return {"channel": channel.id, "ts": message.ts, "message": api_message(call.state, message)}


def _own(call: Call, otherwise: str) -> Message:
    channel = call.channel()
    message = call.state.messages.find(channel.id, call.need("ts"))
    if message is None or message.ephemeral_to is not None:
        raise ApiError("message_not_found")
    if not message.by_app:
        raise ApiError(otherwise)
    return message


def _update(call: Call) -> Json:
    state, message = call.state, _own(call, "cant_update_message")
    if state.channels[message.channel].is_archived:
        raise ApiError("is_inactive")
    window = state.settings.edit_window
    if window is not None and state.clock() > float(message.ts) + window:
        raise ApiError("edit_window_closed")
    if len(call.text("text") or "") > UPDATED_CHARACTERS:
        raise ApiError("msg_too_long")
    content = read_content(call)
    text = content.text or message.text
    edited = {"user": message.user, "ts": state.timestamps.next()} if text != message.text else None
    blocks = content.blocks or []
    state.messages.change(
        message, text=text, blocks=without_interaction(blocks) if message.broadcast else blocks, edited=edited
    )
    message.metadata = _metadata(call) or message.metadata
    state.changes.tell("message_changed", channel=message.channel, ts=message.ts, thread_ts=message.thread_ts)
    shown = api_message(state, message)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": shown}


def _delete(call: Call) -> Json:
    message = _own(call, "cant_delete_message")
    call.state.messages.remove(message)
    call.state.changes.tell("message_deleted", channel=message.channel, ts=message.ts, thread_ts=message.thread_ts)
    return {"channel": message.channel, "ts": message.ts}


def _post_ephemeral(call: Call) -> Json:
    channel, user = _writable(call), call.state.users.get(call.need("user"))
    if user is None:
        raise ApiError("user_not_found")
    if not channel.holds(user.id):
        raise ApiError("user_not_in_channel")
    content = read_content(call)
    message = call.state.say(
        Message(
            channel=channel.id,
            ts=call.state.timestamps.next(),
            user=call.state.settings.bot_user,
            text=content.text[:POSTED_CHARACTERS],
            blocks=content.blocks or [],
            thread_ts=thread_of(call.state, channel, call.text("thread_ts")),
            ephemeral_to=user.id,
            by_app=True,
        )
    )
    return {"message_ts": message.ts}


def _permalink(call: Call) -> Json:
    channel, ts = call.channel(), call.need("message_ts")
    message = call.state.messages.find(channel.id, ts)
    if message is None:
        raise ApiError("message_not_found")
    link = f"{call.state.base_url}/archives/{channel.id}/p{ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def _reacted(call: Call) -> tuple[Message, list[str]]:
    message = call.state.messages.find(call.channel().id, call.need("timestamp"))
    if message is None:
        raise ApiError("message_not_found")
    return message, message.reactions.setdefault(call.need("name"), [])


def _react(call: Call) -> Json:
    message, users = _reacted(call)
    if call.state.settings.bot_user in users:
        raise ApiError("already_reacted")
    users.append(call.state.settings.bot_user)
    call.state.changes.tell("message_changed", channel=message.channel, ts=message.ts, thread_ts=message.thread_ts)
    return {}


def _unreact(call: Call) -> Json:
    message, users = _reacted(call)
    if call.state.settings.bot_user not in users:
        raise ApiError("no_reaction")
    users.remove(call.state.settings.bot_user)
    message.reactions = {name: reacting for name, reacting in message.reactions.items() if reacting}
    call.state.changes.tell("message_changed", channel=message.channel, ts=message.ts, thread_ts=message.thread_ts)
    return {}


CHAT_METHODS: Methods = {
    # Its own bucket counts per channel, drawn from once the channel is known.
    "chat.postMessage": Method(run=_post_message, tier=Tier.UNLIMITED, scope="chat:write"),
    "chat.update": Method(run=_update, tier=Tier.THREE, scope="chat:write"),
    "chat.delete": Method(run=_delete, tier=Tier.THREE, scope="chat:write"),
    "chat.postEphemeral": Method(run=_post_ephemeral, tier=Tier.FOUR, scope="chat:write"),
    "chat.getPermalink": Method(run=_permalink, tier=Tier.UNLIMITED),
    "reactions.add": Method(run=_react, tier=Tier.THREE, scope="reactions:write"),
    "reactions.remove": Method(run=_unreact, tier=Tier.TWO, scope="reactions:write"),
}
