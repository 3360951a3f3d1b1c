"""Which pods a quota with scopes counts, by Kubernetes' own rules."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Pod = Mapping[str, Any]
COMPUTE = ("cpu", "memory")
BEST_EFFORT = "BestEffort"


def counts(quota: Mapping[str, Any], pod: Pod, qos: str) -> bool:
    """True when the quota counts pods of this specification; every one of its scopes has to take them in.

    `qos` is the class that pods of it got when they ran, empty where none runs: then the specification tells it, which
    knows nothing of containers that are put in later.
    """
    known = qos or qos_of(pod)
    return all(_takes(scope, operator, values, pod, known) for scope, operator, values in _scopes(quota["spec"]))


def qos_of(pod: Pod) -> str:
    """`BestEffort` where no container asks for or is limited in cpu or memory; else `Burstable`, or better."""
    containers = [*(pod.get("containers") or []), *(pod.get("initContainers") or [])]
    asked = (((each.get("resources") or {}).get(kind) or {}) for each in containers for kind in ("requests", "limits"))
    return "Burstable" if any(name in each for each in asked for name in COMPUTE) else BEST_EFFORT


def _scopes(spec: Mapping[str, Any]) -> Iterator[tuple[str, str, Sequence[str]]]:
    for scope in spec.get("scopes") or []:
        yield scope, "Exists", ()
    for each in (spec.get("scopeSelector") or {}).get("matchExpressions") or []:
        yield str(each.get("scopeName")), str(each.get("operator")), each.get("values") or ()


def _takes(scope: str, operator: str, values: Sequence[str], pod: Pod, qos: str) -> bool:
    match scope:
        case "Terminating":
            return pod.get("activeDeadlineSeconds") is not None
        case "NotTerminating":
            return pod.get("activeDeadlineSeconds") is None
        case "BestEffort":
            return qos == BEST_EFFORT
        case "NotBestEffort":
            return qos != BEST_EFFORT
        case "PriorityClass":
            return _selects(operator, values, str(pod.get("priorityClassName") or ""))
        case "CrossNamespacePodAffinity":
            return any(term.get("namespaces") or "namespaceSelector" in term for term in _terms(pod))
        case _:
            return False  # of volumes, or of a later Kubernetes: it counts no pod that we know of


def _selects(operator: str, values: Sequence[str], name: str) -> bool:
    match operator:
        case "In":
            return name in values
        case "NotIn":
            return name not in values
        case "Exists":
            return bool(name)
        case _:
            return not name


def _terms(pod: Pod) -> Iterator[Mapping[str, Any]]:
    affinity = pod.get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        own = affinity.get(kind) or {}
        yield from own.get("requiredDuringSchedulingIgnoredDuringExecution") or []
        preferred = own.get("preferredDuringSchedulingIgnoredDuringExecution") or []
        yield from (each.get("podAffinityTerm") or {} for each in preferred)
