"""Modals, Home tabs and the short-lived triggers that open them."""

from dataclasses import dataclass, field

from bot.sandbox.slack.clock import Clock
from bot.sandbox.slack.elements import interactive, state, with_ids
from bot.sandbox.slack.wire import ApiError, Json, new_id

STACK = 3


@dataclass(slots=True, kw_only=True)
class View:
    """A modal or Home tab as it stands before a person; `entered` is what they typed."""

    id: str
    user: str
    content: Json
    root: str
    previous: str | None = None
    hash: str = ""
    entered: dict[str, Json] = field(default_factory=dict)

    @property
    def blocks(self) -> list[Json]:
        """The blocks shown."""
        return list(self.content["blocks"])


class Views:
    """What stands open: a stack of modals and one Home tab per person."""

    def __init__(self, clock: Clock, trigger_lives: float) -> None:
        self._clock = clock
        self._trigger_lives = trigger_lives
        self._triggers: dict[str, tuple[str, float]] = {}
        self._spent: set[str] = set()
        self._changes = 0
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}

    def new_trigger(self, user: str) -> str:
        """A trigger_id for something this person just did."""
        trigger = new_id("13345224609.")
        self._triggers[trigger] = (user, self._clock() + self._trigger_lives)
        return trigger

    def spend(self, trigger: str) -> str:
        """The person behind a trigger; refused when unknown, spent or too old."""
        if trigger in self._spent:
            raise ApiError("exchanged_trigger_id")
        if trigger not in self._triggers:
            raise ApiError("invalid_trigger_id")
        user, until = self._triggers.pop(trigger)
        self._spent.add(trigger)
        if self._clock() > until:
            raise ApiError("expired_trigger_id")
        return user

    def open(self, user: str, content: Json) -> View:
        """Show a modal in place of whatever stood open."""
        view = self._new(user, content)
        self.stacks[user] = [view]
        return view

    def push(self, user: str, content: Json) -> View:
        """Show a modal above the open one."""
        stack = self.stacks.setdefault(user, [])
        if len(stack) >= STACK:
            raise ApiError("push_limit_reached")
        view = self._new(user, content)
        if stack:
            view.root, view.previous = stack[0].id, stack[-1].id
        stack.append(view)
        return view

    def publish(self, user: str, content: Json, expected: str | None) -> View:
        """Show a Home tab; refused when `expected` is not the hash of the one shown."""
        shown = self.homes.get(user)
        if shown is None:
            shown = self.homes[user] = self._new(user, content)
            return shown
        return self.replace(shown, content, expected)

    def replace(self, view: View, content: Json, expected: str | None = None) -> View:
        """Put another content in the same view; what was typed stays where its ids stay."""
        if expected is not None and expected != view.hash:
            raise ApiError("hash_conflict")
        view.content = _named(content)
        view.hash = self._hash()
        kept = {(block, element["action_id"]) for block, element in interactive(view.blocks)}
        view.entered = {
            block: {action: field for action, field in fields.items() if (block, action) in kept}
            for block, fields in view.entered.items()
        }
        return view

    def find(self, view_id: str | None, external_id: str | None = None) -> View | None:
        """An open view by either of its names."""
        everything = [*self.homes.values(), *(view for stack in self.stacks.values() for view in stack)]
        for view in everything:
            if view.id == view_id or (external_id and view.content.get("external_id") == external_id):
                return view
        return None

    def top(self, user: str) -> View | None:
        """The modal in front of this person."""
        stack = self.stacks.get(user)
        return stack[-1] if stack else None

    def close(self, user: str, *, every: bool = False) -> None:
        """Close the modal in front, or all of them."""
        stack = self.stacks.get(user, [])
        del stack[0 if every else -1 :]

    def _new(self, user: str, content: Json) -> View:
        named = _named(content)
        if named.get("external_id") and self.find(None, named["external_id"]):
            raise ApiError("duplicate_external_id")
        name = new_id("V")
        return View(id=name, user=user, content=named, root=name, hash=self._hash())

    def _hash(self) -> str:
        self._changes += 1
        return f"{int(self._clock())}.{self._changes:08d}"


def _named(content: Json) -> Json:
    return {**content, "blocks": with_ids(content["blocks"])}


def document(view: View, *, ids: Json, untouched_is_none: bool) -> Json:
    """The view as payloads and answers show it; `ids` names the team, app and bot."""
    plain = {"private_metadata": "", "callback_id": "", "external_id": "", "clear_on_close": False}
    return {
        "id": view.id,
        **ids,
        **plain,
        "notify_on_close": False,
        "title": None,
        "submit": None,
        "close": None,
        **view.content,
        "state": state(view.blocks, view.entered, untouched_is_none=untouched_is_none),
        "hash": view.hash,
        "root_view_id": view.root,
        "previous_view_id": view.previous,
    }
