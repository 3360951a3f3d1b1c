"""Rights as Kubernetes' roles name them: which role gives one, and the sentence when the server refuses it."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

# A refusal that nobody met again for so long may be cured by now, without anybody having tried.
REMEMBERED_SECONDS = 900.0


class _Role(NamedTuple):
    name: str
    how: str
    how_everywhere: str = ""  # where no namespace is named; as `how` otherwise


SLUICE = _Role(
    "sluice",
    "there, or everywhere as that file does",
    "everywhere as that file does, or name in SLUICE_NAMESPACES where it is bound",
)
WORKLOADS = _Role("sluice-workloads", "as the chart's `workloads.bound: true` does")
ADOPT = _Role("sluice-adopt", "as the chart's `workloads.adopting: true` does")

_ROUTES = ("virtualservices.networking.istio.io", "destinationrules.networking.istio.io")
_SCALERS = "horizontalpodautoscalers.autoscaling"
# The roles of deploy/rbac.yaml, verbs by resource.
ROLES: Mapping[_Role, Mapping[str, tuple[str, ...]]] = {
    SLUICE: {
        **dict.fromkeys(_ROUTES, ("get", "list", "watch", "update")),
        **dict.fromkeys(("services", "pods", "resourcequotas", _SCALERS, "deployments.apps"), ("list", "watch")),
        "events": ("list",),
    },
    WORKLOADS: {
        "deployments.apps": ("get", "create", "update", "delete"),
        _SCALERS: ("get", "create", "update"),
        "poddisruptionbudgets.policy": ("list", "create"),
        "pods/log": ("get",),
    },
    ADOPT: dict.fromkeys(_ROUTES, ("create", "delete")),
}


@dataclass(frozen=True, slots=True)
class Right:
    """One verb on one resource such as `deployments.apps`; without a namespace in all of them."""

    verb: str
    resource: str
    namespace: str | None = None

    @property
    def lacking(self) -> str:
        """What Sluice may not do, and which role gives it; without the full stop."""
        where = f"namespace {self.namespace}" if self.namespace else "all namespaces"
        text = f"Sluice may not {self.verb} {self.resource} in {where}"
        role = next((role for role, rules in ROLES.items() if self.verb in rules.get(self.resource, ())), None)
        if role is None:
            return text
        how = role.how if self.namespace else role.how_everywhere or role.how
        return f"{text}; bind the role {role.name} of deploy/rbac.yaml {how}"

    @property
    def attributes(self) -> Mapping[str, str]:
        """The right as an access review asks for it."""
        plural, _, group = self.resource.partition(".")
        resource, _, part = plural.partition("/")
        asked = {"verb": self.verb, "group": group, "resource": resource, "subresource": part}
        return asked | {"namespace": self.namespace or ""}


class Refusals:
    """The rights that the server refused lately; one that is used with success later is no trouble any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refused: dict[Right, float] = {}

    def note(self, right: Right) -> None:
        """The server refused this now."""
        now = time.monotonic()
        with self._lock:
            self._refused = {**self._fresh(now), right: now}

    def clear(self, right: Right) -> None:
        """The server granted this now."""
        if right in self._refused:
            with self._lock:
                self._refused.pop(right, None)

    def troubles(self) -> list[str]:
        """One sentence for each right that is missing."""
        with self._lock:
            return [f"{right.lacking}." for right in self._fresh(time.monotonic())]

    def _fresh(self, now: float) -> dict[Right, float]:
        return {right: at for right, at in self._refused.items() if now - at < REMEMBERED_SECONDS}
