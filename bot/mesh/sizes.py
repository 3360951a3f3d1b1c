"""How many pods a version has and wants, who made its Deployment, and how long its pods took to become ready."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from bot.mesh.documents import Document, full_name, labels_of
from bot.mesh.view import View
from strategies.release import Target

# On everything that Sluice created, with the release it was created for; what lacks it is never deleted.
CREATED_BY = "sluice/created-by"


def workload(target: Target, version: str) -> str | None:
    """`namespace/name` of the version's Deployment; None when it has none."""
    name = target.workloads.get(version)
    return f"{target.namespace}/{name}" if name else None


def deployment_of(view: View, target: Target, version: str) -> Document | None:
    """The version's Deployment as the cache has it."""
    name = workload(target, version)
    return deployment_named(view, name) if name else None


def deployment_named(view: View, name: str) -> Document | None:
    """The Deployment `namespace/name` as the cache has it."""
    return next((each for each in view.deployments(name.partition("/")[0]) if full_name(each) == name), None)


def wanted(deployment: Mapping[str, Any]) -> int:
    """The pods that the Deployment asks for; Kubernetes reads an absent number as one."""
    replicas = (deployment.get("spec") or {}).get("replicas")
    return 1 if replicas is None else int(replicas)


def ready(deployment: Mapping[str, Any]) -> int:
    """The ready pods that its controller counts; 0 while it has not seen the present specification."""
    status = deployment.get("status") or {}
    if int(status.get("observedGeneration") or 0) < int(deployment["metadata"].get("generation") or 0):
        return 0
    return int(status.get("readyReplicas") or 0)


def created_by(document: Mapping[str, Any]) -> str:
    """The release that Sluice created the object for; empty when somebody else made it."""
    return str(labels_of(document).get(CREATED_BY) or "")


def warm_up(pods: Iterable[Mapping[str, Any]]) -> timedelta | None:
    """The usual time from a pod's creation to its readiness, None when no pod tells."""
    taken = [each for pod in pods if (each := _taken(pod)) is not None]
    return timedelta(seconds=round(median(each.total_seconds() for each in taken))) if taken else None


def _taken(pod: Mapping[str, Any]) -> timedelta | None:
    conditions = (pod.get("status") or {}).get("conditions") or []
    ready_at = next((each.get("lastTransitionTime") for each in conditions if _is_ready(each)), None)
    created_at = (pod.get("metadata") or {}).get("creationTimestamp")
    if not ready_at or not created_at:
        return None
    return max(datetime.fromisoformat(ready_at) - datetime.fromisoformat(created_at), timedelta(0))


def _is_ready(condition: Mapping[str, Any]) -> bool:
    return condition.get("type") == "Ready" and condition.get("status") == "True"
