"""The pure editor that makes a candidate's objects from the baseline's: name, version label and image, nothing else."""

import copy
import re
from typing import Any

from bot.mesh.documents import Document, full_name, labels_of
from bot.mesh.sizes import CREATED_BY
from strategies.reasons import ReasonCode, Refused

# What the server or another tool wrote about the object that is copied, and what would claim the copy for that tool.
SERVED = ("resourceVersion", "uid", "generation", "creationTimestamp", "managedFields", "selfLink", "ownerReferences")
CLAIMS = (
    "deployment.kubernetes.io/",
    "kubectl.kubernetes.io/last-applied-configuration",
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "meta.helm.sh/",
    "app.kubernetes.io/managed-by",
    "sluice/",
)
_VERSION_END = "-{}"


def as_new(document: Document) -> Document:
    """A copy that can be created: without status and without what the server and other tools wrote into it."""
    fresh = {key: copy.deepcopy(value) for key, value in document.items() if key != "status"}
    metadata = {key: value for key, value in fresh["metadata"].items() if key not in SERVED}
    for part in ("labels", "annotations"):
        kept = {key: value for key, value in (metadata.get(part) or {}).items() if not key.startswith(CLAIMS)}
        metadata.pop(part, None)
        if kept:
            metadata[part] = kept
    fresh["metadata"] = metadata
    return fresh


def name_of(baseline: Document, version: str, candidate: str) -> str:
    """`reviews-v2` beside `reviews-v1`; a name that does not end in the version gets the candidate's behind it."""
    name, end = str(baseline["metadata"]["name"]), re.sub(r"[^a-z0-9-]+", "-", candidate.lower()).strip("-")
    stem = name.removesuffix(_VERSION_END.format(version.lower()))
    return f"{stem[: 62 - len(end)]}-{end}"


def deployment(baseline: Document, name: str, label: tuple[str, str], image: str, release: str) -> Document | Refused:
    """The candidate's Deployment; refused when it is not clear which container runs the image."""
    made = as_new(baseline)
    key, version = label
    containers: list[Document] = made["spec"]["template"]["spec"]["containers"]
    own = _container(containers, image)
    if own is None:
        listed = ", ".join(f"{each['name']} ({each.get('image')})" for each in containers)
        text = f"None of the containers of Deployment {full_name(baseline)} runs an image like {image}: {listed}."
        return Refused(ReasonCode.BAD_INPUT, text)
    own["image"] = image
    made["metadata"]["name"] = name
    _relabel(made["metadata"], key, version, only_present=True)
    made["metadata"].setdefault("labels", {})[CREATED_BY] = release
    made["spec"].setdefault("selector", {}).setdefault("matchLabels", {})[key] = version
    _relabel(made["spec"]["template"].setdefault("metadata", {}), key, version, only_present=False)
    return made


def autoscaler(present: Document, owner: Document, release: str) -> Document:
    """The same autoscaler for the candidate's Deployment; it goes with that one."""
    made = _beside(present, owner, release)
    made["spec"]["scaleTargetRef"]["name"] = owner["metadata"]["name"]
    return made


def budget(present: Document, owner: Document, label: tuple[str, str], release: str) -> Document:
    """The same disruption budget for the candidate's pods; it goes with their Deployment."""
    made = _beside(present, owner, release)
    made["spec"]["selector"]["matchLabels"][label[0]] = label[1]
    return made


def selects(budget: Document, key: str, version: str) -> bool:
    """True when the budget is about this version alone; one without the label counts the candidate's pods already."""
    selector: dict[str, Any] = (budget.get("spec") or {}).get("selector") or {}
    return (selector.get("matchLabels") or {}).get(key) == version


def _beside(present: Document, owner: Document, release: str) -> Document:
    made = as_new(present)
    made["metadata"]["name"] = owner["metadata"]["name"]
    made["metadata"].setdefault("labels", {})[CREATED_BY] = release
    reference = {key: owner["metadata"][key] for key in ("name", "uid")}
    made["metadata"]["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": "Deployment", **reference}]
    return made


def _relabel(metadata: Document, key: str, version: str, *, only_present: bool) -> None:
    if not only_present or key in labels_of({"metadata": metadata}):
        metadata.setdefault("labels", {})[key] = version


def _container(containers: list[Document], image: str) -> Document | None:
    """The container that runs this image's repository, or one of its name; the only one where there is one."""
    if len(containers) == 1:
        return containers[0]
    repository = repository_of(image)
    for same in (repository, repository.rpartition("/")[2]):
        found = [each for each in containers if repository_of(str(each.get("image"))).endswith(same)]
        if len(found) == 1:
            return found[0]
    return None


def foreign(baseline: Document, image: str, allowed: tuple[str, ...]) -> str:
    """The repositories that an image may come from when it comes from another one; empty when it may run.

    It would run with the baseline's secrets and rights, so who may start a release must not choose whose code it is.
    """
    repository = repository_of(image)
    containers: list[Document] = baseline["spec"]["template"]["spec"]["containers"]
    own = [repository_of(str(each.get("image"))) for each in containers]
    under = (each.rstrip("/") for each in allowed)
    if repository in own or any(repository == each or repository.startswith(f"{each}/") for each in under):
        return ""
    return ", ".join(dict.fromkeys((*own, *allowed)))


def repository_of(image: str) -> str:
    """`registry.example.com:5000/shop/reviews` of an image with tag or digest."""
    plain = image.partition("@")[0]
    head, slash, last = plain.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"
