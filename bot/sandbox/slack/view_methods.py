"""The Web API's views.* methods."""

from bot.sandbox.slack.call import Call, Method, Methods
from bot.sandbox.slack.content import checked_view
from bot.sandbox.slack.rates import Tier
from bot.sandbox.slack.views import View
from bot.sandbox.slack.wire import ApiError, Json


def _content(call: Call, kind: str) -> Json:
    return checked_view(call.state, call.document("view", "invalid_arguments"), kind)


def _shown(call: Call, view: View, kind: str) -> Json:
    call.state.changes.tell(kind, user=view.user, view_id=view.id)
    return {"view": call.state.view(view)}


def _open(call: Call) -> Json:
    trigger, content = call.need("trigger_id"), _content(call, "modal")
    view = call.state.views.open(call.state.views.spend(trigger), content)
    return _shown(call, view, "view_opened")


def _push(call: Call) -> Json:
    trigger, content = call.need("trigger_id"), _content(call, "modal")
    view = call.state.views.push(call.state.views.spend(trigger), content)
    return _shown(call, view, "view_opened")


def _update(call: Call) -> Json:
    view = call.state.views.find(call.text("view_id"), call.text("external_id"))
    if view is None:
        raise ApiError("not_found")
    content = _content(call, view.content["type"])
    return _shown(call, call.state.views.replace(view, content, call.text("hash")), "view_changed")


def _publish(call: Call) -> Json:
    user = call.state.users.get(call.need("user_id"))
    if user is None:
        raise ApiError("user_not_found")
    view = call.state.views.publish(user.id, _content(call, "home"), call.text("hash"))
    return _shown(call, view, "home_published")


VIEW_METHODS: Methods = {
    "views.open": Method(run=_open, tier=Tier.FOUR),
    "views.push": Method(run=_push, tier=Tier.FOUR),
    "views.update": Method(run=_update, tier=Tier.FOUR),
    "views.publish": Method(run=_publish, tier=Tier.FOUR),
}
