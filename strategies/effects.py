"""What shall be done outside, in the imperative. Level-triggered: an effect names the release, not the values.

An effect's lane is worked in order per release; lanes do not wait for each other. Of effects with the same subject
only the newest is done.
"""

from dataclasses import dataclass
from enum import StrEnum


class Lane(StrEnum):
    """Queues that are independent of each other: neither Slack nor whoever is asked before a start delays a route."""

    ASK = "ask"  # what asks Prometheus, staging or proxies before it touches the cluster
    ROUTE = "route"
    METRICS = "metrics"
    HOOK = "hook"
    CHAT = "chat"


class Urgency(StrEnum):
    """What goes first when a neighbour limits us."""

    ROLLBACK = "0-rollback"
    DECISION = "1-decision"
    STAGE = "2-stage"
    PROGRESS = "3-progress"


class Audience(StrEnum):
    """Who is mentioned by a line."""

    NOBODY = "nobody"
    APPROVERS = "approvers"
    REQUESTER = "requester"
    REQUESTER_AND_ON_CALL = "requester_and_on_call"
    ON_CALL = "on_call"


@dataclass(frozen=True, slots=True)
class Prepare:
    """Check the cluster, capture the original fields, add missing subsets, wait for ready pods."""

    release: str
    lane = Lane.ASK
    urgency = Urgency.STAGE

    @property
    def subject(self) -> str:
        """What a newer effect of the same kind replaces."""
        return f"prepare:{self.release}"


@dataclass(frozen=True, slots=True)
class ReadHistory:
    """Read how the baseline behaved in the day before, for the judge and for the people who start."""

    release: str
    lane = Lane.METRICS
    urgency = Urgency.STAGE

    @property
    def subject(self) -> str:
        """What a newer effect of the same kind replaces."""
        return f"history:{self.release}"


@dataclass(frozen=True, slots=True)
class SetRoute:
    """Make the VirtualService carry what the release wants at the moment of writing."""

    release: str
    object: str
    urgency: Urgency = Urgency.STAGE
    lane = Lane.ROUTE

    @property
    def subject(self) -> str:
        """What a newer effect of the same kind replaces."""
        return f"route:{self.release}:{self.object}"


@dataclass(frozen=True, slots=True)
class AskSmoke:
    """Ask the smoke test of a stage, until it answers or the stage is over."""

    release: str
    stage: int
    lane = Lane.HOOK
    urgency = Urgency.STAGE

    @property
    def subject(self) -> str:
        """What a newer effect of the same kind replaces."""
        return f"smoke:{self.release}"


@dataclass(frozen=True, slots=True)
class SetCapacity:
    """Hold the baseline at its size while a rollback may need it; give sizes back as they were once it is over."""

    release: str
    lane = Lane.ROUTE
    urgency = Urgency.STAGE

    @property
    def subject(self) -> str:
        """What a newer effect of the same kind replaces."""
        return f"capacity:{self.release}"


@dataclass(frozen=True, slots=True)
class RetireBaseline:
    """Look whether the baseline is idle; once that is decided, scale it down or delete it as the profile says."""

    release: str
    lane = Lane.ASK
    urgency = Urgency.STAGE

    @property
    def subject(self) -> str:
        """What a newer effect of the same kind replaces."""
        return f"retire:{self.release}"


@dataclass(frozen=True, slots=True)
class RefreshCard:
    """Bring the root message up to date."""

    release: str
    urgency: Urgency = Urgency.PROGRESS
    lane = Lane.CHAT

    @property
    def subject(self) -> str:
        """What a newer effect of the same kind replaces."""
        return f"card:{self.release}"


@dataclass(frozen=True, slots=True)
class PostStage:
    """Bring the message of one stage up to date: snapshot, picture, question or decision."""

    release: str
    stage: int
    urgency: Urgency = Urgency.STAGE
    lane = Lane.CHAT

    @property
    def subject(self) -> str:
        """What a newer effect of the same kind replaces."""
        return f"stage:{self.release}:{self.stage}"


@dataclass(frozen=True, slots=True)
class Say:
    """One line in the release's thread; `is_broadcast` shows it in the channel too."""

    release: str
    line: str
    text: str
    audience: Audience = Audience.NOBODY
    is_broadcast: bool = False
    urgency: Urgency = Urgency.STAGE
    lane = Lane.CHAT

    @property
    def subject(self) -> str:
        """What a newer effect of the same kind replaces: nothing, each line is its own."""
        return f"say:{self.release}:{self.line}"


@dataclass(frozen=True, slots=True)
class CallOnCall:
    """A new channel message that mentions whoever is on call."""

    release: str
    line: str
    text: str
    lane = Lane.CHAT
    urgency = Urgency.ROLLBACK

    @property
    def subject(self) -> str:
        """What a newer effect of the same kind replaces: nothing, each call is its own."""
        return f"call:{self.release}:{self.line}"


Effect = (
    Prepare
    | AskSmoke
    | ReadHistory
    | SetRoute
    | SetCapacity
    | RetireBaseline
    | RefreshCard
    | PostStage
    | Say
    | CallOnCall
)
