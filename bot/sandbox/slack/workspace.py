"""The people, channels and settings of one workspace with one installed app."""

import secrets
from dataclasses import dataclass, field
from enum import Enum

from bot.sandbox.slack.wire import Json

MANIFEST_SCOPES = frozenset(
    {
        "commands",
        "chat:write",
        "files:write",
        "files:read",
        "users:read",
        "usergroups:read",
        "app_mentions:read",
        "im:write",
    }
)


class Delivery(Enum):
    """How Slack reaches the app."""

    SOCKET = "socket"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class User:
    """A member of the workspace."""

    id: str
    name: str
    real_name: str
    is_bot: bool = False
    tz: str = "Europe/Berlin"

    def document(self, team_id: str) -> Json:
        """The user as users.info shows it."""
        return {
            "id": self.id,
            "team_id": team_id,
            "name": self.name,
            "deleted": False,
            "real_name": self.real_name,
            "tz": self.tz,
            "profile": {"real_name": self.real_name, "display_name": self.name},
            "is_bot": self.is_bot,
            "is_app_user": False,
        }


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A user group, mentioned as a whole."""

    id: str
    handle: str
    name: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Channel:
    """A conversation; `members` None means every person is in it."""

    id: str
    name: str
    members: frozenset[str] | None = None
    bot_is_member: bool = True
    is_private: bool = False
    is_archived: bool = False
    is_im: bool = False

    def holds(self, user: str) -> bool:
        """Whether this person is a member."""
        return self.members is None or user in self.members


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Identity, secrets, delivery and patience of the workspace and its app; times in seconds."""

    team_id: str = "T0SLUICE"
    team_domain: str = "sluice-sandbox"
    app_id: str = "A0SLUICE"
    bot_id: str = "B0SLUICE"
    bot_user: str = "U0SLUICE"
    bot_name: str = "sluice"
    bot_token: str = field(default_factory=lambda: f"xoxb-{secrets.token_hex(12)}", repr=False)
    app_token: str = field(default_factory=lambda: f"xapp-{secrets.token_hex(12)}", repr=False)
    signing_secret: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    commands: frozenset[str] = frozenset({"/release"})
    scopes: frozenset[str] = MANIFEST_SCOPES
    delivery: Delivery = Delivery.SOCKET
    request_url: str | None = None
    acknowledge_within: float = 3.0
    trigger_lives: float = 3.0
    retry_events_after: tuple[float, ...] = (0.0, 60.0, 300.0)
    files_ready_after: float = 0.3
    rate_limits: bool = True
    posts_per_second: float = 1.0
    post_burst: int = 5
    edit_window: float | None = None
    paid_plan: bool = True
    hook_uses: int = 5
    hook_lives: float = 1800.0
    untouched_is_none: bool = True
    """A field nobody touched is None in a view's state, although its default is shown."""


PEOPLE = (
    User("U0ALICE", "alice", "Alice Adler"),
    User("U0BOB", "bob", "Bob Brandt"),
    User("U0CAROL", "carol", "Carol Conti"),
    User("U0MALLORY", "mallory", "Mallory Moss"),
)
GROUPS = (
    UserGroup("S0APPROVE", "release-approvers", "Release approvers", ("U0BOB",)),
    UserGroup("S0ONCALL", "on-call", "On-call", ("U0CAROL",)),
)
CHANNELS = (Channel("C0RELEASES", "releases"), Channel("C0GENERAL", "general"))
