"""Pods and Deployments of a service's versions: which are ready, and why the others are not."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.mesh.documents import Document, annotations_of, labels_of
from bot.mesh.hosts import service_of
from bot.mesh.view import View
from strategies.release import Target

# What Kubernetes calls a reason, in the words of the person who has to act on it.
REASONS = {
    "ErrImagePull": "its image cannot be pulled",
    "ImagePullBackOff": "its image cannot be pulled",
    "InvalidImageName": "its image name is invalid",
    "CrashLoopBackOff": "it crashes again and again",
    "CreateContainerConfigError": "its configuration is missing or wrong",
    "CreateContainerError": "its container cannot be created",
    "ContainerCreating": "its container is being created",
    "PodInitializing": "its init containers are running",
    "OOMKilled": "it ran out of memory",
    "Error": "it ended with an error",
    "Unschedulable": "no node can take it",
}


def selector_of(view: View, target: Target) -> Mapping[str, str] | None:
    """The labels by which the Service of the target picks its pods; None when there is no such Service."""
    home = service_of(target.host)
    service = view.service(f"{home[0]}/{home[1]}") if home else None
    return (service.get("spec") or {}).get("selector") or None if service else None


def ready_by_version(view: View, target: Target) -> dict[str, int]:
    """Ready pods of the baseline and of the candidate."""
    counts = {}
    for version in (target.baseline, target.candidate):
        counts[version] = sum(1 for pod in pods_of(view, target, version) if is_ready(pod))
    return counts


def pods_of(view: View, target: Target, version: str) -> Sequence[Document]:
    """Pods of one version that the Service selects and that are not on their way out."""
    selector = selector_of(view, target)
    home = service_of(target.host)
    if selector is None or home is None:
        return ()
    found = view.pods(home[0], {**selector, target.version_label: version})
    return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]


def is_ready(pod: Mapping[str, Any]) -> bool:
    """True when the pod takes requests."""
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in _conditions(pod))


def deployments_of(
    deployments: Iterable[Document], selector: Mapping[str, str], label: str
) -> dict[str, list[Document]]:
    """Deployments behind the selector, by the version on their pod template."""
    found: dict[str, list[Document]] = {}
    for each in deployments:
        labels = template_labels(each)
        if label in labels and selector.items() <= labels.items():
            found.setdefault(str(labels[label]), []).append(each)
    return found


def template_labels(deployment: Mapping[str, Any]) -> Mapping[str, str]:
    """The labels that the Deployment gives its pods."""
    template = (deployment.get("spec") or {}).get("template") or {}
    return labels_of(template)


def flag(view: View, target: Target, name: str) -> str:
    """The annotation `sluice/<name>` of the candidate's Deployment; empty when there is none, or it says false."""
    selector, home = selector_of(view, target), service_of(target.host)
    if selector is None or home is None:
        return ""
    own = deployments_of(view.deployments(home[0]), selector, target.version_label).get(target.candidate, [])
    values = [str(annotations_of(each).get(f"sluice/{name}") or "").strip() for each in own]
    return next((value for value in values if value.lower() not in {"", "false", "no", "0"}), "")


def why_not_ready(view: View, target: Target, version: str) -> str:
    """One sentence: what keeps the version from having a ready pod."""
    selector, home = selector_of(view, target), service_of(target.host)
    if selector is None or home is None:
        return f"{target.host} has no Service with a selector, so its pods cannot be told."
    own = deployments_of(view.deployments(home[0]), selector, target.version_label).get(version, [])
    pods = pods_of(view, target, version)
    if not own and not pods:
        return f"No Deployment in {home[0]} gives its pods {target.version_label}={version}."
    idle = [each["metadata"]["name"] for each in own if (each.get("spec") or {}).get("replicas", 1) == 0]
    if idle and not pods:
        return f"Deployment {idle[0]} is scaled to 0; scale it up."
    reasons = [f"pod {pod['metadata']['name']}: {_trouble(pod)}" for pod in pods if not is_ready(pod)]
    reasons += [text for each in own if (text := _deployment_trouble(each))]
    return f"{version} has no ready pod: {reasons[0] if reasons else 'no pod has been created yet'}."


def _trouble(pod: Mapping[str, Any]) -> str:
    status = pod.get("status") or {}
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        state = container.get("state") or {}
        waiting = state.get("waiting") or state.get("terminated") or {}
        if waiting.get("reason"):
            return _worded(waiting["reason"], f"container {container.get('name')}", waiting.get("message"))
    for condition in _conditions(pod):
        if condition.get("status") == "False" and condition.get("reason") == "Unschedulable":
            return _worded("Unschedulable", "", condition.get("message"))
    return "its readiness probe has not passed yet" if status.get("phase") == "Running" else "it has not started yet"


def _worded(reason: str, where: str, message: str | None) -> str:
    words = REASONS.get(reason, "it is not ready")
    details = ", ".join(each for each in (where, reason, (message or "").strip()) if each)
    return f"{words} ({details})"


def _deployment_trouble(deployment: Mapping[str, Any]) -> str:
    for condition in _conditions(deployment):
        failing = condition.get("type") == "ReplicaFailure" and condition.get("status") == "True"
        stalled = condition.get("type") == "Progressing" and condition.get("status") == "False"
        if failing or stalled:
            name = deployment["metadata"]["name"]
            return f"Deployment {name}: {condition.get('message') or condition.get('reason')}"
    return ""


def _conditions(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return (document.get("status") or {}).get("conditions") or []
