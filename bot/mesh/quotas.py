"""Whether a namespace's quotas leave room for the pods that a second full version takes."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from bot.mesh.documents import Document, full_name
from bot.mesh.quota_scopes import counts
from bot.mesh.sizes import deployment_of, wanted
from bot.mesh.view import View
from bot.mesh.workloads import pods_of
from strategies.capacity import pods_for
from strategies.plan import Plan
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target

UNITS = {
    **{"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1)},
    **{unit: Decimal(1000) ** power for power, unit in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
}
_QUANTITY = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)")
# What a quota calls a container's resource: plain names mean requests.
RESOURCES = {
    "cpu": ("requests", "cpu"),
    "memory": ("requests", "memory"),
    "requests.cpu": ("requests", "cpu"),
    "requests.memory": ("requests", "memory"),
    "limits.cpu": ("limits", "cpu"),
    "limits.memory": ("limits", "memory"),
}


def room(view: View, target: Target, plan: Plan, capacity: Decimal) -> Refused | None:
    """Refused with CAPACITY when a quota is too small for the pods that the plan's largest stage takes."""
    baseline = deployment_of(view, target, target.baseline)
    if baseline is None:
        return None
    size = wanted(baseline)
    splits = [stage.splits[target.service] for stage in plan.stages]
    most = max(pods_for(split, target.candidate, size, capacity) for split in splits)
    extra = most - len(pods_of(view, target, target.candidate))
    if extra <= 0:
        return None
    pod = (deployment_of(view, target, target.candidate) or baseline)["spec"]["template"]["spec"]
    qos = _qos(view, target)
    for quota in view.quotas(target.namespace):
        if not counts(quota, pod, qos):
            continue
        for text in _exceeded(quota, pod, extra):
            return Refused(ReasonCode.CAPACITY, f"{target.candidate} needs {_more(extra)}, but {text}.")
    return None


def quantity(text: object) -> Decimal:
    """A Kubernetes quantity such as `500m`, `2Gi` or `1e3` as a number; ValueError for anything else."""
    found = _QUANTITY.fullmatch(str(text).strip())
    if found is None or found[2] not in UNITS:
        raise ValueError(f"{text!r} is no quantity")
    return Decimal(found[1]) * UNITS[found[2]]


def _qos(view: View, target: Target) -> str:
    """The class of the pods that run: a sidecar that is put in makes it another one than the Deployment says."""
    running = [*pods_of(view, target, target.candidate), *pods_of(view, target, target.baseline)]
    found = (str((pod.get("status") or {}).get("qosClass") or "") for pod in running)
    return next(filter(None, found), "")


def _exceeded(quota: Document, pod: Mapping[str, Any], extra: int) -> Iterator[str]:
    status = quota.get("status") or {}
    hard, used = status.get("hard") or quota["spec"].get("hard") or {}, status.get("used") or {}
    for name, limit in hard.items():
        each = _per_pod(pod, name)
        if each and quantity(used.get(name, 0)) + each * extra > quantity(limit):
            yield f"quota {full_name(quota)} allows {name} {limit}, and {used.get(name, 0)} is used"


def _per_pod(pod: Mapping[str, Any], name: str) -> Decimal:
    """What one pod takes of it: its containers together, or an init container that needs more, and its overhead."""
    if name in {"pods", "count/pods"}:
        return Decimal(1)
    if name not in RESOURCES:
        return Decimal(0)
    kind, resource = RESOURCES[name]
    initial = pod.get("initContainers") or []
    staying = [*(pod.get("containers") or []), *(each for each in initial if each.get("restartPolicy") == "Always")]
    together = sum((_asked(each, kind, resource) for each in staying), Decimal(0))
    alone = max((_asked(each, kind, resource) for each in initial), default=Decimal(0))
    overhead = (pod.get("overhead") or {}).get(resource)
    return max(together, alone) + (quantity(overhead) if overhead is not None else Decimal(0))


def _asked(container: Mapping[str, Any], kind: str, resource: str) -> Decimal:
    resources = container.get("resources") or {}
    found = (resources.get(kind) or {}).get(resource)
    if found is None and kind == "requests":
        found = (resources.get("limits") or {}).get(resource)
    return quantity(found) if found is not None else Decimal(0)


def _more(extra: int) -> str:
    return "1 more pod" if extra == 1 else f"{extra} more pods"
