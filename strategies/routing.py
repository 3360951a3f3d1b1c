"""Where traffic is shared (Route) and how (Split)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

HUNDRED = Decimal(100)
FINEST = Decimal("0.01")


class Protocol(StrEnum):
    """The list of a VirtualService that a route stands in."""

    HTTP = "http"
    TCP = "tcp"
    TLS = "tls"


@dataclass(frozen=True, slots=True, order=True)
class Route:
    """One route of one VirtualService; `name` is the route's own name, or `#<index>` where it has none."""

    namespace: str
    virtual_service: str
    protocol: Protocol
    name: str

    def __post_init__(self) -> None:
        """Refuse an empty part: a route that names nothing leads nowhere."""
        if not (self.namespace and self.virtual_service and self.name):
            raise ValueError("a route needs a namespace, a VirtualService and a name")

    @property
    def key(self) -> str:
        """`namespace/virtual-service/protocol/name`, unique in one cluster."""
        return f"{self.namespace}/{self.virtual_service}/{self.protocol}/{self.name}"


@dataclass(frozen=True, slots=True)
class Match:
    """Requests that go to one version whatever the weights say; exactly one operator is set.

    `share` is the percent of them that `to` answers; the rest is the other version's.
    """

    on: str  # "header:<name>", "cookie:<name>", "query:<name>", "uri", "method", "authority", "source_label:<name>"
    to: str
    exact: str | None = None
    prefix: str | None = None
    regex: str | None = None
    share: Decimal = HUNDRED

    def __post_init__(self) -> None:
        """Refuse a match without an operator, or with two, or with a share that cannot be served."""
        given = [value for value in (self.exact, self.prefix, self.regex) if value is not None]
        if len(given) != 1:
            raise ValueError(f"match on {self.on!r} needs exactly one of exact, prefix, regex")
        if not self.share.is_finite() or not Decimal(0) < self.share <= HUNDRED or self.share % FINEST:
            raise ValueError(f"share of a match must be above 0 and at most 100 with two decimals, got {self.share}")

    @property
    def part(self) -> str:
        """What is looked at: `header`, `cookie`, `query`, `uri`, `method`, `authority` or `source_label`."""
        return self.on.partition(":")[0]

    @property
    def name(self) -> str:
        """Which header, cookie, query parameter or label; empty for the parts of which there is one."""
        return self.on.partition(":")[2]

    def __str__(self) -> str:
        """As people write it: `header:x-beta=1`, `uri^=/beta`, `header:agent=~.*Mobile.*`."""
        if self.exact is not None:
            return f"{self.on}={self.exact}"
        return f"{self.on}^={self.prefix}" if self.prefix is not None else f"{self.on}=~{self.regex}"


@dataclass(frozen=True, slots=True)
class Mirror:
    """Copies of requests sent to a version that answers nobody, in percent of the route's requests."""

    to: str
    percent: Decimal

    def __post_init__(self) -> None:
        """Refuse a percentage that no proxy can mirror."""
        if not Decimal(0) < self.percent <= HUNDRED:
            raise ValueError(f"mirror percent must be above 0 and at most 100, got {self.percent}")


@dataclass(frozen=True, slots=True)
class Sticky:
    """A cookie keeps each person at one version: at the candidate for good, at the baseline until the share grows.

    `generation` counts the shares of the release so far; `rise` is the percent of those left at the baseline by the
    share before that move to the candidate now, 0 for the first share.
    """

    generation: int = 0
    rise: Decimal = Decimal(0)

    @classmethod
    def between(cls, generation: int, before: Decimal, now: Decimal) -> "Sticky":
        """The rise that makes `now` percent of the people out of `before`; never more than that for want of digits."""
        rise = (now - before) * HUNDRED / (HUNDRED - before) if generation else Decimal(0)
        return cls(generation, rise.quantize(FINEST, ROUND_DOWN))


class Steering(StrEnum):
    """What brings requests to a version, which decides how its share can be measured."""

    WEIGHTS = "weights"  # a share that is known beforehand
    MATCHES = "matches"  # as many as the matched people send; only bounds are known
    MIRROR = "mirror"  # copies alone: nobody gets its answers


@dataclass(frozen=True, slots=True)
class Split:
    """Decimal percents by version, summing to exactly 100; a value that cannot be served cannot be built."""

    weights: Mapping[str, Decimal]
    matches: tuple[Match, ...] = field(default=())
    mirror: Mirror | None = None
    sticky: Sticky | None = None

    def __post_init__(self) -> None:
        """Refuse unnamed versions, weights outside 0 to 100, more than two decimals, a sum other than 100."""
        if not self.weights:
            raise ValueError("a split needs at least one version")
        for version, weight in self.weights.items():
            if not version:
                raise ValueError("a split names every version")
            if not weight.is_finite() or not Decimal(0) <= weight <= HUNDRED:
                raise ValueError(f"weight of {version} must be between 0 and 100, got {weight}")
            if weight % FINEST:
                raise ValueError(f"weight of {version} has more than two decimals: {weight}")
        if sum(self.weights.values()) != HUNDRED:
            raise ValueError(f"weights must sum to 100, got {sum(self.weights.values())}")

    @classmethod
    def between(cls, baseline: str, candidate: str, share: Decimal) -> "Split":
        """The candidate takes `share` percent, the baseline the rest; both are always named."""
        if baseline == candidate:
            raise ValueError(f"baseline and candidate are both {baseline!r}")
        return cls({baseline: HUNDRED - share, candidate: share})

    def share(self, version: str) -> Decimal:
        """Percent of the route's requests that `version` answers; 0 for a version not named."""
        return self.weights.get(version, Decimal(0))

    def reaches(self, version: str) -> bool:
        """True when any request gets to `version`: by weight, by a match, or as a copy."""
        return self.serves(version) or (self.mirror is not None and self.mirror.to == version)

    def serves(self, version: str) -> bool:
        """True when anybody gets answers of `version`: by weight or by a match."""
        return self.bounds(version)[1] > 0

    def bounds(self, version: str) -> tuple[Decimal, Decimal]:
        """The least and the most percent of all requests that `version` answers, whoever sends them.

        People who keep their version make shares of people: of requests, anything may come.
        """
        if self.sticky is not None:
            return Decimal(0), HUNDRED
        inside = [match.share if match.to == version else HUNDRED - match.share for match in self.matches]
        everywhere = (self.share(version), *inside)
        return min(everywhere), max(everywhere)

    def steering(self, version: str) -> Steering:
        """How requests get to `version`; weights as well when none do."""
        least, most = self.bounds(version)
        if least != most:
            return Steering.MATCHES
        return Steering.MIRROR if not most and self.reaches(version) else Steering.WEIGHTS


def percent(value: Decimal) -> str:
    """A percentage as people write it: `5 %`, `0.5 %`."""
    text = f"{value.normalize():f}"
    return f"{text} %"
