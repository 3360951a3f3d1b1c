"""What people ask of Sluice and what it answers, free of Slack, REST and command line."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from bot.ports import Adoption, Card
from bot.preflight import Asked, Found
from strategies.guards import Check
from strategies.plan import Approve, Plan, StrategyName
from strategies.reasons import ReasonCode
from strategies.release import Release, Target
from strategies.routing import Match


@dataclass(frozen=True, slots=True)
class StartRequest:
    """`start` and `plan`: None means "as the profile says"; `dry` shows the plan and starts nothing.

    `steps` are percents of everybody's requests, in an ab test of the matched ones, in a shadow of the copies;
    `mirror` are percents of copies too, one of them beside the shares of another strategy. `words` are those behind the
    verb, for saying the command again.
    """

    service: str
    version: str
    strategy: StrategyName | None = None
    steps: tuple[Decimal, ...] | None = None
    hold: timedelta | None = None
    approve: Approve | None = None
    baseline: str | None = None
    at: datetime | None = None
    dry: bool = False
    matches: tuple[Match, ...] | None = None
    mirror: tuple[Decimal, ...] | None = None
    is_sticky: bool | None = None
    overrides: tuple[ReasonCode, ...] = ()
    override_reason: str = ""
    image: str = ""
    words: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """`status [<id>|<service>]`: empty means everything active."""

    subject: str = ""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """`list [active|scheduled|mine|all]`."""

    scope: str = "active"


@dataclass(frozen=True, slots=True)
class ApproveRequest:
    """`approve <id> [note]` or the button; `revision` None means the present question."""

    subject: str
    note: str = ""
    revision: int | None = None
    acknowledged: bool = False
    override_reason: str = ""


@dataclass(frozen=True, slots=True)
class OverrideRequest:
    """`override <id> <rule> <reason>`: the release may begin although the guard `rule` does not hold."""

    subject: str
    rule: ReasonCode
    reason: str


@dataclass(frozen=True, slots=True)
class PauseRequest:
    """`pause <id> [reason]`."""

    subject: str
    reason: str = ""
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class ResumeRequest:
    """`resume <id>`."""

    subject: str
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class RollbackRequest:
    """`rollback <id|service> [reason]`."""

    subject: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ScheduleRequest:
    """`schedule <id> at <time> [zone] [auto|ask] [until <time>]`."""

    subject: str
    at: datetime
    until: datetime | None = None
    unattended: bool = True


@dataclass(frozen=True, slots=True)
class DriftRequest:
    """`drift <id> adopt|restore|stop`."""

    subject: str
    choice: str
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class AdoptRequest:
    """`adopt <service> [version] [undo]`: shown; with the fingerprint of what was shown, done."""

    service: str
    version: str = ""
    is_undo: bool = False
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class PreflightRequest:
    """`preflight <service> [version]`: the gates over the last days; changes nothing."""

    service: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class HelpRequest:
    """`help [subcommand]`."""

    topic: str = ""


Request = (
    StartRequest
    | StatusRequest
    | ListRequest
    | ApproveRequest
    | OverrideRequest
    | PauseRequest
    | ResumeRequest
    | RollbackRequest
    | ScheduleRequest
    | DriftRequest
    | PreflightRequest
    | AdoptRequest
    | HelpRequest
)


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence for the person who asked; `release` when it is about one."""

    text: str
    release: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """The present state of one release."""

    card: Card


@dataclass(frozen=True, slots=True)
class Planned:
    """What a start would do: stages with their end times, the unified diff of the first write, guards, remarks.

    `preflight` says what the gates need at the service's traffic, and `advice` is the sentence that a plan ends with.
    """

    target: Target
    plan: Plan
    ends: tuple[datetime, ...]
    diff: str = ""
    remarks: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    advice: str = ""
    preflight: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preflighted:
    """What a preflight found."""

    asked: Asked
    found: Found


@dataclass(frozen=True, slots=True)
class Adoptable:
    """What an adoption would change, for somebody to confirm."""

    adoption: Adoption
    request: AdoptRequest


@dataclass(frozen=True, slots=True)
class Listed:
    """Releases, newest first."""

    releases: tuple[Release, ...]
    title: str = "Active releases"
    now: datetime | None = None
    troubles: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ConfirmNeeded:
    """The approval goes against missing evidence; a confirm must name it."""

    release: Release
    missing: str


Answer = Said | Shown | Planned | Preflighted | Adoptable | Listed | ConfirmNeeded
