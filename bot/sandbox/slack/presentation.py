"""A message as the Web API shows it, and as a person sees it."""

from bot.sandbox.slack.messages import Message
from bot.sandbox.slack.state import State
from bot.sandbox.slack.wire import Json


def api_message(state: State, message: Message) -> Json:
    """The message as answers, payloads and histories show it."""
    settings = state.settings
    shown: Json = {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": settings.team_id,
    }
    if message.by_app:
        shown |= {"bot_id": settings.bot_id, "app_id": settings.app_id}
    if message.blocks:
        shown["blocks"] = message.blocks
    if message.files:
        shown["files"] = _files(state, message)
        shown["upload"] = False
    if message.thread_ts is not None:
        shown["thread_ts"] = message.thread_ts
    if message.broadcast:
        shown["subtype"] = "thread_broadcast"
    if message.edited is not None:
        shown["edited"] = message.edited
    if message.metadata is not None:
        shown["metadata"] = message.metadata
    if message.reactions:
        shown["reactions"] = [
            {"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()
        ]
    return shown | state.messages.thread_summary(message)


def seen_message(state: State, message: Message) -> Json:
    """The message as a person sees it, every field always there."""
    author = state.users.get(message.user)
    return {
        "channel": message.channel,
        "ts": message.ts,
        "user": message.user,
        "name": author.name if author else "slackbot",
        "bot": message.by_app,
        "text": message.text,
        "blocks": message.blocks,
        "files": [{**document, "seen_at": f"/sandbox/files/{document['id']}"} for document in _files(state, message)],
        "thread_ts": message.thread_ts,
        "reply_count": len(state.messages.replies(message.channel, message.ts)),
        "edited": message.edited,
        "ephemeral": message.ephemeral_to is not None,
        "broadcast": message.broadcast,
        "metadata": message.metadata,
        "reactions": dict(message.reactions),
    }


def _files(state: State, message: Message) -> list[Json]:
    found = [state.files.find(file_id) for file_id in message.files]
    return [state.files.document(file, state.base_url) for file in found if file is not None]
