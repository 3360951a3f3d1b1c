"""One YAML profile per service: how it is released. Read again when changed; a broken file keeps the last good one."""

import difflib
import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import GenerateJsonSchema

from bot import durations, ways, yaml_text
from bot.criteria import Criterion
from bot.hooks import staging as staging_hook
from bot.surveys import NamedRoutes
from bot.ways import Step, Ways
from strategies import versions
from strategies.plan import Approve, MetricGate, StrategyName
from strategies.release import AtDeadline, Decommission, NoAnswer, OnHarm
from strategies.terms import Need, Terms

log = logging.getLogger(__name__)

# An owner who names one of these wants people asked once at least.
ASKING = frozenset({"approvers", "quorum", "requester_may_approve"})
_SERVICE_LINE = re.compile(r"^service:\s*[\"']?([\w.-]+)", re.MULTILINE)


def _duration(value: object) -> object:
    if isinstance(value, bool | int | float) and value != 0:
        raise ValueError(f"{value!r} has no unit; write {durations.ALLOWED}")
    return durations.parse(str(value)) if not isinstance(value, timedelta) else value


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration, json_schema_input_type=str),
    # The schema shows its defaults as they are written in a profile.
    PlainSerializer(durations.written, return_type=str, when_used="json"),
]


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be longer than 0s")
    return value


Lasting = Annotated[Duration, AfterValidator(_positive)]


_NEED = re.compile(r"([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)\s*>=\s*([A-Za-z0-9][A-Za-z0-9._-]*)", re.ASCII)


def _need(value: object) -> object:
    if isinstance(value, Need):
        return value
    found = _NEED.fullmatch(str(value).strip())
    if found is None:
        raise ValueError(f"{value!r} is not a need such as payments >= v3")
    if versions.compare(found[2], f"{found[2]}.1") is None:
        raise ValueError(f"{found[2]} has no order; a needed version has numbers, such as v3 or 2.14.0")
    return Need(found[1], found[2])


def _staging(value: str) -> str:
    why = staging_hook.trouble(value) if value else ""
    if why:
        raise ValueError(why)
    return value


Needed = Annotated[Need, BeforeValidator(_need, json_schema_input_type=str)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RouteChoice(_Strict):
    """Which routes of which VirtualService share the service's traffic; named by name, or `#0` for the first.

    `delegate` takes the place of `virtual_service` where another VirtualService delegates to this one.
    """

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["virtual_service"]}, {"required": ["delegate"]}]}
    )

    virtual_service: str = Field("", description="name, or namespace/name")
    delegate: str = Field("", description="a VirtualService without hosts that another one delegates to")
    http: tuple[str, ...] = ()
    tcp: tuple[str, ...] = ()
    tls: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_one_object(self) -> Self:
        if bool(self.virtual_service) == bool(self.delegate):
            raise ValueError("needs virtual_service or delegate, and not both")
        return self

    def named(self) -> NamedRoutes:
        """The same for a survey."""
        name = self.virtual_service or self.delegate
        return NamedRoutes(name, self.http, self.tcp, self.tls, is_delegate=bool(self.delegate))


class Unanswered(_Strict):
    """How long a question waits, and what happens then; approving is not among the values."""

    after: Lasting = timedelta(hours=2)
    then: NoAnswer = NoAnswer.HOLD


class Part(_Strict):
    """One part of a pipeline; what it leaves out is as the profile says."""

    strategy: StrategyName
    steps: tuple[Step, ...] | None = None
    hold: Duration | None = None
    match: ways.Matches | None = None
    inside: ways.Shares | None = None
    preview: ways.Matches | None = None
    mirror: ways.Shares | None = None


def _part(value: object) -> object:
    return {"strategy": value} if isinstance(value, str) else value


class Profile(Ways):
    """How one service is released. Only `service` and `namespace` are required."""

    service: str = Field(min_length=1, description="Istio host, short or full")
    namespace: str = Field(min_length=1)
    channel: str = ""
    version_label: str = Field("version", min_length=1)
    routes: tuple[RouteChoice, ...] = ()
    images: tuple[str, ...] = ()
    strategy: StrategyName = StrategyName.CANARY
    pipeline: tuple[Annotated[Part, BeforeValidator(_part, json_schema_input_type=str | Part)], ...] = ()
    steps: tuple[Step, ...] = (Decimal(5), Decimal(25), Decimal(50), Decimal(100))
    hold: Duration = timedelta(minutes=10)
    look: Lasting | None = None
    approve: Approve = Approve.EVERY
    approvers: tuple[str, ...] = ()
    quorum: int = Field(1, ge=1)
    requester_may_approve: bool = False
    no_answer: Unanswered = Unanswered()
    metrics: Mapping[str, Criterion] = Field(
        default_factory=lambda: {"errors": Criterion(allowed="+1pp"), "latency_p95": Criterion(allowed="+50%")}
    )
    min_requests: int = Field(100, ge=0)
    deadline: Lasting = timedelta(minutes=30)
    at_deadline: AtDeadline = AtDeadline.ASK
    on_harm: OnHarm = OnHarm.ROLL_BACK
    soak: Duration = timedelta(minutes=30)
    scale: bool = False
    capacity: Step = Field(Decimal(100), ge=0, le=1000)
    idle_for: Lasting = timedelta(minutes=5)
    drain: Duration = timedelta(seconds=60)
    decommission: Decommission = Decommission.KEEP
    decommission_approval: bool | None = None
    needs: tuple[Needed, ...] = ()
    stateful: bool = False
    mixed_versions: bool = True
    irreversible: bool = False
    first_step_at_most: Step | None = Field(None, gt=0, le=100)
    staging: Annotated[str, AfterValidator(_staging)] = ""
    links: Mapping[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _gates_are_clear(self) -> Self:
        self.gates()
        return self

    @model_validator(mode="after")
    def _pipeline_is_one(self) -> Self:
        if self.pipeline:
            ways.orderly([part.strategy for part in self.pipeline])
        return self

    def terms(self) -> Terms:
        """What must hold before a release begins."""
        return Terms(
            stateful=self.stateful,
            mixed_versions=self.mixed_versions,
            irreversible=self.irreversible,
            first_step_at_most=self.first_step_at_most,
            needs=self.needs,
            staging=self.staging,
            approve=self._asked(),
        )

    def _asked(self) -> Approve | None:
        if "approve" in self.model_fields_set:
            return self.approve
        return Approve.FINAL if self.model_fields_set & ASKING else None

    def gates(self) -> tuple[MetricGate, ...]:
        """The metric gates, with their bounds in the metric's unit; ValueError names the metric and what is allowed."""
        return tuple(criterion.gate(name) for name, criterion in self.metrics.items())


class _Written(GenerateJsonSchema):
    """Shows defaults as a profile takes them."""

    def encode_default(self, dft: Any) -> Any:
        return durations.written(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def schema() -> dict[str, Any]:
    """The JSON Schema of a profile."""
    return Profile.model_json_schema(schema_generator=_Written)


class WrongProfile(Exception):
    """A profile that cannot be used; each line names the file, the field, the value and what is allowed."""

    def __init__(self, path: str, lines: tuple[str, ...]) -> None:
        super().__init__("\n".join(f"{path}: {line}" for line in lines))
        self.lines = tuple(f"{path}: {line}" for line in lines)


def read(path: str, text: str) -> Profile:
    """The profile in `text`; WrongProfile says what is wrong with it."""
    try:
        document = yaml_text.load(text)
    except yaml_text.NotYaml as error:
        raise WrongProfile(path, (str(error),)) from error
    if not isinstance(document, dict):
        raise WrongProfile(path, ("must be a mapping with at least service and namespace",))
    try:
        return Profile.model_validate(document)
    except ValidationError as error:
        lines = tuple(_sentence(problem) for problem in error.errors(include_url=False, include_context=False))
        raise WrongProfile(path, lines) from None


def _sentence(problem: Mapping[str, Any]) -> str:
    field = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        nested: Mapping[object, type[BaseModel]] = {"routes": RouteChoice, "metrics": Criterion}
        known = nested.get(problem["loc"][0] if len(problem["loc"]) == 3 else "", Profile).model_fields
        near = difflib.get_close_matches(str(problem["loc"][-1]), known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
        return f"{field} is not a key of this version; {hint}"
    text = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if problem["type"] == "missing":
        return f"{field} is missing"
    return f"{field}={problem['input']!r}: {text}" if field else text


@dataclass(frozen=True, slots=True)
class _File:
    mtime_ns: int
    size: int
    profile: Profile | None
    trouble: tuple[str, ...]
    claim: frozenset[str] = frozenset()


def _claim(path: Path, text: str) -> frozenset[str]:
    """Services that a file which cannot be used is probably about: its name, and its line that says so."""
    found = _SERVICE_LINE.search(text)
    return frozenset({path.stem, found[1].split(".", 1)[0]} if found else {path.stem})


class Profiles:
    """The profiles of a directory, read when asked if a file changed since; thread-safe."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._files: dict[Path, _File] = {}
        self._twins: tuple[str, ...] = ()
        self._lock = threading.Lock()
        if directory is not None and not directory.is_dir():
            raise WrongProfile(str(directory), ("is not a directory; it names one with a YAML file per service",))
        self._all()

    def find(self, service: str) -> Profile | None:
        """The profile whose service is `service`, by its short or full name; None when there is none."""
        return self._all().get(service.split(".", 1)[0])

    def broken(self, service: str) -> tuple[str, ...]:
        """What is wrong with the file of a service that never had a good one; defaults are not what its owner asked."""
        name = service.split(".", 1)[0]
        if name in self._all():
            return ()
        with self._lock:
            return tuple(line for file in self._files.values() if name in file.claim for line in file.trouble)

    def services(self) -> tuple[str, ...]:
        """Short names of all services with a profile."""
        return tuple(sorted(self._all()))

    def troubles(self) -> tuple[str, ...]:
        """What is wrong with files, one sentence each; the last good version of each is still used."""
        self._all()
        with self._lock:
            return (*(line for file in self._files.values() for line in file.trouble), *self._twins)

    def _all(self) -> dict[str, Profile]:
        if self._directory is None:
            return {}
        with self._lock:
            paths = sorted(p for p in self._directory.iterdir() if p.suffix in {".yaml", ".yml"})
            self._files = {path: self._read(path) for path in paths}
            found: dict[str, Profile] = {}
            twins: list[str] = []
            for path, file in self._files.items():
                if file.profile is None:
                    continue
                name = file.profile.service.split(".", 1)[0]
                if name in found:
                    twins.append(f"{path.name}: service {name} has another profile already; this file is not used")
                else:
                    found[name] = file.profile
            self._twins = tuple(twins)
        return found

    def _read(self, path: Path) -> _File:
        known = self._files.get(path)
        try:
            stat = path.stat()
            if known and (known.mtime_ns, known.size) == (stat.st_mtime_ns, stat.st_size):
                return known
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            return _File(0, -1, known.profile if known else None, (f"{path.name}: cannot be read ({error})",))
        try:
            return _File(stat.st_mtime_ns, stat.st_size, read(path.name, text), ())
        except WrongProfile as error:
            last_good = known.profile if known else None
            what = "the profile read before stays in force" if last_good else "its service is not released until then"
            log.error("%s; %s", "; ".join(error.lines), what)
            return _File(stat.st_mtime_ns, stat.st_size, last_good, error.lines, _claim(path, text))
