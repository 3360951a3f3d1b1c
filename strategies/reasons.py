"""The closed list of reason codes, and the refusal that carries one."""

from dataclasses import dataclass
from enum import StrEnum


class ReasonCode(StrEnum):
    """Why something was refused: the same word in Slack, command line, REST and journal."""

    NOT_ALLOWED = "NOT_ALLOWED"
    NOT_APPROVER = "NOT_APPROVER"
    SELF_APPROVAL = "SELF_APPROVAL"
    ALREADY_DECIDED = "ALREADY_DECIDED"
    STALE_REVISION = "STALE_REVISION"
    EXPIRED = "EXPIRED"
    LOCKED = "LOCKED"
    FREEZE = "FREEZE"
    OUTSIDE_WINDOW = "OUTSIDE_WINDOW"
    GATE_FAILING = "GATE_FAILING"
    ALREADY_RELEASING = "ALREADY_RELEASING"
    UNKNOWN_SERVICE = "UNKNOWN_SERVICE"
    UNKNOWN_VERSION = "UNKNOWN_VERSION"
    UNKNOWN_RELEASE = "UNKNOWN_RELEASE"
    SAME_VERSION = "SAME_VERSION"
    BAD_STEPS = "BAD_STEPS"
    BAD_INPUT = "BAD_INPUT"
    WRONG_PHASE = "WRONG_PHASE"
    NO_ROUTE = "NO_ROUTE"
    AMBIGUOUS_ROUTE = "AMBIGUOUS_ROUTE"
    FOREIGN_DESTINATION = "FOREIGN_DESTINATION"
    FOREIGN_MIRROR = "FOREIGN_MIRROR"
    FOREIGN_OWNER = "FOREIGN_OWNER"
    NO_SUBSET = "NO_SUBSET"
    DELEGATE = "DELEGATE"
    UNSUPPORTED_KIND = "UNSUPPORTED_KIND"
    WEIGHTS_SUM = "WEIGHTS_SUM"
    BASELINE_NOT_FULL = "BASELINE_NOT_FULL"
    NOT_READY = "NOT_READY"
    CAPACITY = "CAPACITY"
    TOO_FEW_REQUESTS = "TOO_FEW_REQUESTS"
    STATEFUL = "STATEFUL"
    MIXED_VERSIONS = "MIXED_VERSIONS"
    SIDE_EFFECTS = "SIDE_EFFECTS"
    NEEDS = "NEEDS"
    NOT_STAGED = "NOT_STAGED"
    IRREVERSIBLE = "IRREVERSIBLE"
    DRIFT = "DRIFT"
    UNREACHABLE = "UNREACHABLE"


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that changes nothing: the code for machines, one sentence for the person."""

    reason_code: ReasonCode
    text: str
