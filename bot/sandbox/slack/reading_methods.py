"""The Web API's methods that read people and conversations."""

from bot.sandbox.slack.block_kit import problems_in_blocks, problems_in_view
from bot.sandbox.slack.call import Call, Method, Methods, Token
from bot.sandbox.slack.presentation import api_message
from bot.sandbox.slack.rates import Tier
from bot.sandbox.slack.wire import ApiError, Json, refused
from bot.sandbox.slack.workspace import Channel, UserGroup


def _auth_test(call: Call) -> Json:
    settings = call.state.settings
    return {
        "url": f"https://{settings.team_domain}.slack.com/",
        "team": settings.team_domain,
        "user": settings.bot_name,
        "team_id": settings.team_id,
        "user_id": settings.bot_user,
        "bot_id": settings.bot_id,
        "is_enterprise_install": False,
    }


def _api_test(call: Call) -> Json:
    if call.text("error"):
        raise ApiError(call.need("error"), args=call.arguments)
    return {"args": call.arguments}


def _validate(call: Call) -> Json:
    given = [name for name in ("blocks", "message", "view") if call.text(name)]
    if len(given) != 1:
        raise refused("invalid_arguments", ["provide exactly one of blocks, message, view"])
    document = call.document(given[0], f"invalid_{given[0]}")
    if given[0] == "view":
        problems = problems_in_view(document)
    else:
        problems = problems_in_blocks(document.get("blocks") if isinstance(document, dict) else document)
    if problems:
        raise refused(f"invalid_{given[0]}", problems)
    return {}


def _channel(channel: Channel) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": not channel.is_im,
        "is_im": channel.is_im,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_member": channel.bot_is_member,
    }


def _open(call: Call) -> Json:
    users = call.need("users").split(",")
    if any(user not in call.state.users for user in users):
        raise ApiError("user_not_found")
    if len(users) != 1:
        raise ApiError("method_not_supported_for_channel_type")
    return {"channel": {"id": call.state.direct(users[0]).id}}


def _info(call: Call) -> Json:
    return {"channel": _channel(call.channel())}


def _list(call: Call) -> Json:
    known = [c for c in call.state.channels.values() if not c.is_im and (c.bot_is_member or not c.is_private)]
    return call.page([_channel(channel) for channel in known], "channels")


def _history(call: Call) -> Json:
    channel = call.channel()
    if not channel.bot_is_member:
        raise ApiError("not_in_channel")
    oldest, latest = call.text("oldest") or "0", call.text("latest") or "9"
    said = [
        api_message(call.state, message)
        for message in reversed(call.state.messages.public(channel.id))
        if (not message.is_reply or message.broadcast) and oldest <= message.ts <= latest
    ]
    shown = call.page([_with_metadata(call, message) for message in said], "messages")
    return {**shown, "has_more": shown["response_metadata"]["next_cursor"] != ""}


def _replies(call: Call) -> Json:
    channel, ts = call.channel(), call.need("ts")
    parent = call.state.messages.find(channel.id, ts)
    if parent is None:
        raise ApiError("thread_not_found")
    thread = [parent, *call.state.messages.replies(channel.id, ts)]
    shown = [_with_metadata(call, api_message(call.state, message)) for message in thread]
    return {**call.page(shown, "messages"), "has_more": False}


def _with_metadata(call: Call, message: Json) -> Json:
    if call.flag("include_all_metadata"):
        return message
    return {name: value for name, value in message.items() if name != "metadata"}


def _user_info(call: Call) -> Json:
    user = call.state.users.get(call.need("user"))
    if user is None:
        raise ApiError("user_not_found")
    return {"user": user.document(call.state.settings.team_id)}


def _user_list(call: Call) -> Json:
    team = call.state.settings.team_id
    return call.page([user.document(team) for user in call.state.users.values()], "members")


def _group(group: UserGroup) -> Json:
    return {
        "id": group.id,
        "handle": group.handle,
        "name": group.name,
        "is_usergroup": True,
        "user_count": len(group.users),
        "date_delete": 0,
    }


def _paid(call: Call) -> None:
    if not call.state.settings.paid_plan:
        raise ApiError("plan_upgrade_required")


def _group_list(call: Call) -> Json:
    _paid(call)
    with_users = call.flag("include_users")
    groups = call.state.groups.values()
    return {
        "usergroups": [_group(g) | ({"users": list(g.users)} if with_users else {}) for g in groups],
    }


def _group_users(call: Call) -> Json:
    _paid(call)
    group = call.state.groups.get(call.need("usergroup"))
    if group is None:
        raise ApiError("no_such_subteam")
    return {"users": list(group.users)}


READING_METHODS: Methods = {
    "auth.test": Method(run=_auth_test, tier=Tier.UNLIMITED),
    "api.test": Method(run=_api_test, tier=Tier.FOUR, token=Token.NONE),
    "blocks.validate": Method(run=_validate, tier=Tier.FOUR, token=Token.NONE),
    "conversations.open": Method(run=_open, tier=Tier.THREE, scope="im:write"),
    "conversations.info": Method(run=_info, tier=Tier.THREE, scope="channels:read"),
    "conversations.list": Method(run=_list, tier=Tier.TWO, scope="channels:read"),
    "conversations.history": Method(run=_history, tier=Tier.THREE, scope="channels:history"),
    "conversations.replies": Method(run=_replies, tier=Tier.THREE, scope="channels:history"),
    "users.info": Method(run=_user_info, tier=Tier.FOUR, scope="users:read"),
    "users.list": Method(run=_user_list, tier=Tier.TWO, scope="users:read"),
    "usergroups.list": Method(run=_group_list, tier=Tier.TWO, scope="usergroups:read"),
    "usergroups.users.list": Method(run=_group_users, tier=Tier.TWO, scope="usergroups:read"),
}
