"""The roles file: which user and group ids may do what; pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot import yaml_text
from bot.errors import Fault
from bot.slack.words import nearest
from strategies.release import Role

_ID = re.compile(r"[UWS][A-Z0-9]+", re.ASCII)
_GROUP = re.compile(r"S[A-Z0-9]+", re.ASCII)


class UnreadableRoles(Fault):
    """The roles file cannot be used; one sentence names file, key, value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Roles:
    """User and group ids by role; a role that is not named has nobody, but everybody may look."""

    ids: Mapping[Role, frozenset[str]] = field(default_factory=dict)

    def holders(self, role: Role) -> frozenset[str]:
        """The ids written behind a role."""
        return self.ids.get(role, frozenset())

    @property
    def groups(self) -> frozenset[str]:
        """The group ids that need their members looked up."""
        return frozenset(id for ids in self.ids.values() for id in ids if is_group(id))

    def of(self, ids: frozenset[str]) -> frozenset[Role]:
        """The roles of somebody who has these ids: their own and their groups'."""
        given = {role for role in Role if self.holders(role) & ids}
        # Looking is open unless the file names who may look.
        return frozenset(given | ({Role.VIEWER} if Role.VIEWER not in self.ids else set()))


def is_group(identifier: str) -> bool:
    """True for a user group's id."""
    return bool(_GROUP.fullmatch(identifier))


def read(text: str, name: str) -> Roles:
    """The roles that a file's text gives; UnreadableRoles says what is wrong where."""
    try:
        document = yaml_text.load(text)
    except yaml_text.NotYaml as error:
        raise UnreadableRoles(f"{name}: {error}; write each role with a list of ids") from error
    if document is None:
        return Roles()
    if not isinstance(document, dict):
        raise UnreadableRoles(f"{name}: must map roles to lists of ids, not be a {type(document).__name__}")
    return Roles({_role(key, name): _ids(key, value, name) for key, value in document.items()})


def _role(key: object, name: str) -> Role:
    known = [role.value for role in Role]
    if key in known:
        return Role(str(key))
    near = nearest(str(key), known)
    meant = f"; did you mean {near}?" if near else ""
    raise UnreadableRoles(f"{name}: {key} is no role{meant} Roles are {', '.join(known)}")


def _ids(key: object, value: object, name: str) -> frozenset[str]:
    listed = [] if value is None else value if isinstance(value, list) else [value]
    for each in listed:
        if not isinstance(each, str) or not _ID.fullmatch(each):
            raise UnreadableRoles(
                f"{name}: {key}: {each!r} is no Slack id; user ids look like U0BOB, group ids like S0APPROVE"
            )
    return frozenset(listed)
