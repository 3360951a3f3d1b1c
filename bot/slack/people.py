"""Who somebody is and what they may do: roles by id and by group, ready before anybody clicks."""

import logging
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from slack_sdk import WebClient

from bot.errors import Transient
from bot.slack.roles import Roles, UnreadableRoles, is_group, read
from bot.slack.web import Refusal, called
from strategies.release import Actor, Role

log = logging.getLogger(__name__)
REFRESH = 300.0
RETRY = 10.0
LOOK_AT_FILE = 5.0
# Without paid user groups or without the scope, plain user lists still work.
_NO_GROUPS = frozenset({"plan_upgrade_required", "missing_scope", "unknown_method", "paid_teams_only"})
_GONE = frozenset({"no_such_subteam", "subteam_not_found", "invalid_subteam"})
NAMES_AT_ONCE = 50


class People:
    """Roles from a file, group members from Slack; `actor` never waits for either.

    Without a roles file everybody may look and nobody may start, approve or roll back.
    """

    def __init__(self, web: WebClient, path: Path | None) -> None:
        self._web = web
        self._path = path
        self._roles = Roles()
        self._stamp: tuple[int, int] | None = None
        self._members: dict[str, frozenset[str]] = {}
        self._out_of_reach: frozenset[str] = frozenset()  # groups that Slack will not tell of
        self._names: dict[str, str] = {}
        self._named: frozenset[str] = frozenset()  # users and groups that a profile names as approvers
        self._file_trouble = ""
        self._group_trouble = ""
        self._said: set[str] = set()
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._load()

    def start(self) -> None:
        """Begin looking up groups in the background; says at once when nobody can do anything."""
        if self._path is None:
            log.warning(
                "SLUICE_ROLES is not set: everybody may look, nobody may start, approve or roll back from Slack"
            )
        self._thread = threading.Thread(target=self._run, name="slack-people", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the background look-ups."""
        self._stopping.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join(2)

    def watch(self, ids: Iterable[str]) -> None:
        """Look up the members of these groups too, for approvers whom only a profile names."""
        known, self._named = self._groups, self._named | frozenset(ids)
        if self._groups != known:
            self._wanted.set()

    def actor(self, user: str, name: str = "") -> Actor:
        """The person with roles and groups as they are known now; asks nobody."""
        if name:
            self._names[user] = name
        groups = frozenset(group for group, members in self._members.items() if user in members)
        return Actor(user, self._names.get(user, user), self._roles.of(groups | {user}), groups)

    def doubt(self, actor: Actor) -> str:
        """Why nobody can say yet what this person may do; empty when it is known, or when they are known by name."""
        if actor.roles - {Role.VIEWER} or self._named & (actor.groups | {actor.id}):
            return ""
        unknown = sorted(self._groups - self._members.keys() - self._out_of_reach)
        return f"Slack has not told yet who belongs to {', '.join(unknown)}" if unknown else ""

    @property
    def _groups(self) -> frozenset[str]:
        """The groups whose members have to be known."""
        return self._roles.groups | frozenset(id for id in self._named if is_group(id))

    def holders(self, role: Role) -> tuple[str, ...]:
        """User and group ids to mention for a role."""
        return tuple(sorted(self._roles.holders(role)))

    def troubles(self) -> Sequence[str]:
        """What keeps roles or groups from being up to date."""
        return tuple(each for each in (self._file_trouble, self._group_trouble) if each)

    def refresh(self) -> None:
        """Look up every group's members now; raises Transient, and keeps what was known."""
        troubles = []
        for group in sorted(self._groups):
            try:
                answer = called(self._web.usergroups_users_list, usergroup=group)
            except Refusal as refusal:
                troubles.append(self._refused(group, refusal))
                continue
            self._out_of_reach -= {group}
            self._members = {**self._members, group: frozenset(str(user) for user in answer.get("users") or ())}
        self._group_trouble = "; ".join(trouble for trouble in troubles if trouble)
        self._learn_names()

    def reload(self) -> None:
        """Read the roles file again when it changed; a broken one keeps the last good roles."""
        if self._path is None:
            return
        try:
            if self._stamp == _stamp(self._path):
                return
            self._load()
        except UnreadableRoles as error:
            if self._file_trouble != str(error):
                log.error("%s; the roles read before stay in force", error)
            self._file_trouble = str(error)
        else:
            self._file_trouble = ""
            log.info("roles were read again from %s", self._path)
            self._wanted.set()

    def _load(self) -> None:
        if self._path is None:
            return
        try:
            self._stamp = _stamp(self._path)
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise UnreadableRoles(f"SLUICE_ROLES={self._path}: cannot be read: {reason}") from error
        self._roles = read(text, f"SLUICE_ROLES={self._path}")

    def _refused(self, group: str, refusal: Refusal) -> str:
        """What stays in trouble; a workspace without user groups is no trouble, and said once."""
        if refusal.code not in _NO_GROUPS | _GONE:
            return f"members of {group} are not up to date: {refusal}"
        # The group is out of reach for good: its members lose what only it gave them.
        self._members = {known: members for known, members in self._members.items() if known != group}
        self._out_of_reach |= {group}
        about = group if refusal.code in _GONE else "groups"
        if about not in self._said:
            self._said.add(about)
            log.warning("user group %s counts for nobody: %s; plain user ids in the roles file work", group, refusal)
        return ""

    def _learn_names(self) -> None:
        # Mentions bring ids alone; a card reads better with the name of whoever decided.
        named = {id for role in Role for id in self._roles.holders(role) if not is_group(id)}
        everybody = named.union(*self._members.values())
        for user in sorted(everybody - self._names.keys())[:NAMES_AT_ONCE]:
            try:
                found = called(self._web.users_info, user=user).get("user") or {}
            except Refusal as refusal:
                log.info("no name for %s: %s", user, refusal)
                found = {}
            self._names.setdefault(user, str(found.get("name") or user))

    def _run(self) -> None:
        wait = 0.0
        while not self._stopping.is_set():
            if self._wanted.wait(min(wait, LOOK_AT_FILE)) or wait <= 0:
                self._wanted.clear()
                if self._stopping.is_set():
                    return
                wait = self._refreshed()
            else:
                wait -= LOOK_AT_FILE
                self.reload()

    def _refreshed(self) -> float:
        try:
            self.refresh()
        except Transient as error:
            if not self._group_trouble:
                log.warning("user groups are not up to date: %s", error)
            self._group_trouble = f"user groups are not up to date: {error}"
            return max(error.retry_after or 0.0, RETRY)
        return REFRESH


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise UnreadableRoles(f"SLUICE_ROLES={path}: cannot be read: {error.strerror}") from error
    return status.st_mtime_ns, status.st_size
