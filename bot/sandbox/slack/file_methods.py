"""The Web API's files.* methods and what an upload leads to."""

from bot.sandbox.slack.call import Call, Method, Methods
from bot.sandbox.slack.chat_methods import thread_of
from bot.sandbox.slack.content import checked_blocks
from bot.sandbox.slack.files import File
from bot.sandbox.slack.messages import Message
from bot.sandbox.slack.mrkdwn import stored
from bot.sandbox.slack.rates import Tier
from bot.sandbox.slack.wire import ApiError, Json, refused
from bot.sandbox.slack.workspace import Channel


def _reserve(call: Call) -> Json:
    name, length = call.need("filename"), call.number("length", 0)
    if length == 0:
        raise refused("invalid_arguments", ["must be more than 0 [json-pointer:/length]"])
    user, alt_text = call.state.settings.bot_user, call.text("alt_txt")
    file = call.state.files.reserve(name=name, length=length, user=user, alt_text=alt_text)
    return {"upload_url": f"{call.state.base_url}/upload/v1/{file.ticket}", "file_id": file.id}


def _channels(call: Call) -> list[Channel]:
    wanted = call.text("channels") or call.text("channel_id") or ""
    found = [call.state.channels.get(name) for name in wanted.split(",") if name]
    channels = [channel for channel in found if channel is not None]
    if len(channels) != len(found):
        raise ApiError("channel_not_found")
    for channel in channels:
        if not channel.bot_is_member:
            raise ApiError("not_in_channel")
        if channel.is_archived:
            raise ApiError("is_archived")
    return channels


def _completed(call: Call) -> list[File]:
    wanted = call.document("files", "invalid_arguments")
    if not isinstance(wanted, list) or not wanted:
        raise refused("invalid_arguments", ["missing required field: files"])
    files = []
    for item in wanted:
        file = call.state.files.find(str(item.get("id")) if isinstance(item, dict) else "")
        if file is None or file.content is None:
            raise ApiError("file_not_found")
        if len(file.content) != file.length:
            raise ApiError("file_upload_size_restricted")
        call.state.files.complete(file, item.get("title"))
        files.append(file)
    return files


def _complete(call: Call) -> Json:
    state, channels = call.state, _channels(call)
    threads = {channel.id: thread_of(state, channel, call.text("thread_ts")) for channel in channels}
    comment, blocks = call.text("initial_comment"), call.document("blocks", "invalid_blocks_format")
    # Slack ignores the blocks when a comment is there.
    kept = checked_blocks(state, blocks) if blocks is not None and comment is None else []
    files = _completed(call)

    def share() -> None:
        for channel in channels:
            message = Message(
                channel=channel.id,
                ts=state.timestamps.next(),
                user=state.settings.bot_user,
                text=stored(comment or ""),
                blocks=kept,
                files=[file.id for file in files],
                thread_ts=threads[channel.id],
                by_app=True,
            )
            for file in files:
                file.shares.append((channel.id, message.ts, message.thread_ts))
            state.say(message)

    # Like Slack's: the answer comes first, the message when the files are ready.
    state.later(state.settings.files_ready_after, share)
    return {"files": [state.files.document(file, state.base_url) for file in files]}


def _info(call: Call) -> Json:
    file = call.state.files.find(call.need("file"))
    if file is None:
        raise ApiError("file_not_found")
    return {"file": call.state.files.document(file, call.state.base_url)}


FILE_METHODS: Methods = {
    "files.getUploadURLExternal": Method(run=_reserve, tier=Tier.FOUR, scope="files:write"),
    "files.completeUploadExternal": Method(run=_complete, tier=Tier.FOUR, scope="files:write"),
    "files.info": Method(run=_info, tier=Tier.FOUR, scope="files:read"),
}
