"""What people do in modals and on the Home tab."""

from collections.abc import Mapping

from bot.sandbox.slack import payloads
from bot.sandbox.slack.content import checked_view
from bot.sandbox.slack.courier import Courier
from bot.sandbox.slack.delivery import PayloadKind
from bot.sandbox.slack.elements import chosen, find, interactive, is_empty
from bot.sandbox.slack.hands import action_of
from bot.sandbox.slack.outcome import DriverError, Outcome
from bot.sandbox.slack.state import State
from bot.sandbox.slack.views import View
from bot.sandbox.slack.wire import ApiError, Json
from bot.sandbox.slack.workspace import User

TROUBLE = "trouble_connecting"


class ModalHands:
    """Acts for a person on the views that stand before them."""

    def __init__(self, state: State, courier: Courier) -> None:
        self._state = state
        self._courier = courier

    def views(self, user: str) -> list[Json]:
        """The modals open before this person, the front one last."""
        return [self._state.view(view) for view in self._state.views.stacks.get(self._person(user).id, [])]

    def home(self, user: str) -> Json | None:
        """The Home tab this person sees."""
        view = self._state.views.homes.get(self._person(user).id)
        return None if view is None else self._state.view(view)

    async def open_home(self, user: str) -> Outcome:
        """Open the app's Home tab."""
        taken = await self._courier.announce(payloads.home_opened(self._state, self._person(user)))
        return Outcome(acknowledged=taken.error is None, seconds=taken.seconds)

    def fill(self, user: str, values: Mapping[str, object], view_id: str | None = None) -> None:
        """Enter values by block_id or action_id, as typed and not yet submitted."""
        view = self._view(self._person(user), view_id)
        for name, value in values.items():
            at = next(((block, e) for block, e in interactive(view.blocks) if name in (block, e["action_id"])), None)
            content = chosen(at[1], value) if at is not None else None
            if at is None or content is None:
                raise DriverError("no_such_field", f"there is no {name} that takes {value!r} in this view")
            view.entered.setdefault(at[0], {})[at[1]["action_id"]] = content

    async def click_view(
        self,
        user: str,
        action_id: str,
        *,
        value: object = None,
        view_id: str | None = None,
        confirmed: bool = True,
    ) -> Outcome:
        """Act on an element of the front modal, or of the Home tab where no modal is open."""
        person = self._person(user)
        view = self._view(person, view_id)
        found = find(view.blocks, action_id, value)
        if found is None:
            raise DriverError("no_such_element", f"there is no {action_id} in this view")
        block_id, element = found
        if "confirm" in element and not confirmed:
            return Outcome(confirm=element["confirm"])
        action = action_of(self._state, block_id, element, value)
        if element["type"] not in ("button", "overflow"):
            view.entered.setdefault(block_id, {})[action_id] = chosen(element, value) or {}
        document = payloads.view_action(self._state, person, view, action)
        taken = await self._courier.deliver(PayloadKind.INTERACTION, document)
        return Outcome(acknowledged=taken.error is None, seconds=taken.seconds, error=taken.error)

    async def submit_view(
        self, user: str, values: Mapping[str, object] | None = None, view_id: str | None = None
    ) -> Outcome:
        """Enter values and press Submit; what the app answers happens to the modal."""
        person = self._person(user)
        self.fill(user, values or {}, view_id)
        view = self._view(person, view_id)
        missing = _missing(view)
        if missing:
            return Outcome(errors=missing)
        taken = await self._courier.deliver(
            PayloadKind.INTERACTION, payloads.view_submission(self._state, person, view)
        )
        if taken.error is not None:
            return Outcome(seconds=taken.seconds, error=taken.error)
        error, errors = self._respond(person, view, taken.body)
        return Outcome(acknowledged=True, seconds=taken.seconds, error=error, errors=errors)

    async def close_view(self, user: str, *, every: bool = False) -> Outcome:
        """Press Cancel; the app is told where it asked for it."""
        person = self._person(user)
        view = self._view(person, None)
        self._state.views.close(person.id, every=every)
        self._state.changes.tell("view_closed", user=person.id, view_id=view.id)
        if not view.content.get("notify_on_close"):
            return Outcome()
        document = payloads.view_closed(self._state, person, view, every=every)
        taken = await self._courier.deliver(PayloadKind.INTERACTION, document)
        return Outcome(acknowledged=taken.error is None, seconds=taken.seconds, error=taken.error)

    def _respond(self, person: User, view: View, body: Json) -> tuple[str | None, dict[str, str]]:
        views = self._state.views
        try:
            match body.get("response_action"):
                case None:
                    views.close(person.id)
                case "clear":
                    views.close(person.id, every=True)
                case "errors" if _names_fields(view, body.get("errors")):
                    return None, dict(body["errors"])
                case "update":
                    views.replace(view, checked_view(self._state, body.get("view"), "modal"))
                case "push":
                    views.push(person.id, checked_view(self._state, body.get("view"), "modal"))
                case _:
                    return TROUBLE, {}
        except ApiError:
            # Slack tells the person no more than this, and the app nothing.
            return TROUBLE, {}
        self._state.changes.tell("view_changed", user=person.id, view_id=view.id)
        return None, {}

    def _person(self, user: str) -> User:
        person = self._state.user(user)
        if person is None:
            raise DriverError("unknown", f"nobody called {user}")
        return person

    def _view(self, person: User, view_id: str | None) -> View:
        views = self._state.views
        view = views.find(view_id) if view_id else views.top(person.id) or views.homes.get(person.id)
        if view is None or view.user != person.id:
            raise DriverError("no_view", f"no such view stands before {person.name}")
        return view


def _missing(view: View) -> dict[str, str]:
    required = {b["block_id"]: b["element"] for b in view.blocks if b["type"] == "input" and not b.get("optional")}
    return {
        block_id: "Please complete this required field."
        for block_id, element in required.items()
        if is_empty(element, view.entered.get(block_id, {}).get(element["action_id"]))
    }


def _names_fields(view: View, errors: object) -> bool:
    fields = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    return isinstance(errors, dict) and bool(errors) and errors.keys() <= fields
