"""The documents Slack sends to the app, in Slack's shape."""

from bot.sandbox.slack.elements import state as fields_state
from bot.sandbox.slack.messages import Message
from bot.sandbox.slack.presentation import api_message
from bot.sandbox.slack.state import State
from bot.sandbox.slack.views import View
from bot.sandbox.slack.wire import Json
from bot.sandbox.slack.workspace import Channel, User


def command(state: State, user: User, channel: Channel, *, name: str, text: str) -> Json:
    """A slash command; it may be answered through its response_url."""
    settings = state.settings
    return {
        "token": "unused",
        "team_id": settings.team_id,
        "team_domain": settings.team_domain,
        "channel_id": channel.id,
        "channel_name": "directmessage" if channel.is_im else channel.name,
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": settings.app_id,
        "is_enterprise_install": "false",
        "response_url": state.response_url(state.hooks.new(channel.id, user.id)),
        "trigger_id": state.views.new_trigger(user.id),
    }


def message_action(state: State, user: User, message: Message, action: Json) -> Json:
    """A click on an element of a message; an ephemeral message is not repeated in it."""
    settings, ephemeral = state.settings, message.ephemeral_to is not None
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": ephemeral,
    }
    if message.thread_ts is not None:
        container["thread_ts"] = message.thread_ts
    hook = state.hooks.new(message.channel, user.id, ts=message.ts, thread_ts=message.thread_ts)
    entered: dict[str, Json] = {}
    return {
        **_interaction(state, user, "block_actions"),
        "container": container,
        "channel": _channel(state.channels[message.channel]),
        **({} if ephemeral else {"message": api_message(state, message)}),
        "state": fields_state(message.blocks, entered, untouched_is_none=settings.untouched_is_none),
        "response_url": state.response_url(hook),
        "actions": [action],
    }


def view_action(state: State, user: User, view: View, action: Json) -> Json:
    """A click on an element of a modal or Home tab."""
    return {
        **_interaction(state, user, "block_actions"),
        "container": {"type": "view", "view_id": view.id},
        "view": state.view(view),
        "actions": [action],
    }


def view_submission(state: State, user: User, view: View) -> Json:
    """A modal's Submit."""
    interaction = _interaction(state, user, "view_submission")
    return {**interaction, "view": state.view(view), "response_urls": []}


def view_closed(state: State, user: User, view: View, *, every: bool) -> Json:
    """A modal closed, where the app asked to be told."""
    interaction = _interaction(state, user, "view_closed")
    del interaction["trigger_id"]
    return {**interaction, "view": state.view(view), "is_cleared": every}


def shortcut(state: State, user: User, message: Message, callback_id: str) -> Json:
    """A message shortcut chosen from a message's menu."""
    hook = state.hooks.new(message.channel, user.id, ts=message.ts, thread_ts=message.thread_ts)
    return {
        **_interaction(state, user, "message_action"),
        "callback_id": callback_id,
        "action_ts": state.timestamps.next(),
        "message_ts": message.ts,
        "channel": _channel(state.channels[message.channel]),
        "message": api_message(state, message),
        "response_url": state.response_url(hook),
    }


def mention(state: State, message: Message) -> Json:
    """Somebody named the app in a message."""
    event = {
        "type": "app_mention",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "channel": message.channel,
        "event_ts": message.ts,
        "team": state.settings.team_id,
    }
    return event | ({"thread_ts": message.thread_ts} if message.thread_ts else {})


def home_opened(state: State, user: User) -> Json:
    """Somebody opened the app's Home tab; a view is there only if one was published before."""
    shown = state.views.homes.get(user.id)
    event = {
        "type": "app_home_opened",
        "user": user.id,
        "channel": state.direct(user.id).id,
        "tab": "home",
        "event_ts": state.timestamps.next(),
    }
    return event | ({"view": state.view(shown)} if shown is not None else {})


def _interaction(state: State, user: User, kind: str) -> Json:
    settings = state.settings
    return {
        "type": kind,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": settings.team_id},
        "api_app_id": settings.app_id,
        "token": "unused",
        "trigger_id": state.views.new_trigger(user.id),
        "team": {"id": settings.team_id, "domain": settings.team_domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _channel(channel: Channel) -> Json:
    return {"id": channel.id, "name": "directmessage" if channel.is_im else channel.name}
