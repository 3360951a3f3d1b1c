"""What Argo CD and Flux send to an API server, replayed step by step on plain documents."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.contract.kubernetes.cluster import APPLY, MERGE
from tests.contract.mesh.world import PATHS
from tests.contract.patience import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.kubernetes.cluster import Answer
    from tests.contract.mesh.world import WireWorld
    from tests.mesh_documents import Document

RECIPE = yaml.safe_load((Path(__file__).parents[3] / "deploy/gitops/argo-cd.yaml").read_text(encoding="utf-8"))["spec"]


def _without_routes(protocol: str) -> Callable[[Document], None]:
    def change(spec: Document) -> None:
        for entry in spec.get(protocol) or []:
            entry.pop("route", None)

    return change


def _without_inserted(spec: Document) -> None:
    spec["http"] = [each for each in spec.get("http") or [] if not str(each.get("name") or "").startswith("sluice-")]


def _without_subsets(spec: Document) -> None:
    spec.pop("subsets", None)


# What jq makes of the recipe's expressions; another expression in the recipe is a KeyError.
JQ: dict[str, Callable[[Document], None]] = {
    ".spec.http[]?.route": _without_routes("http"),
    ".spec.tcp[]?.route": _without_routes("tcp"),
    ".spec.tls[]?.route": _without_routes("tls"),
    '.spec.http[]? | select((.name // "") | startswith("sluice-"))': _without_inserted,
    ".spec.subsets": _without_subsets,
}


def ignored(kind: str) -> list[str]:
    """The recipe's expressions for a kind."""
    found: list[str] = next(each for each in RECIPE["ignoreDifferences"] if each["kind"] == kind)["jqPathExpressions"]
    return found


def normalized(document: Document) -> Document:
    """The spec without what the recipe ignores: what Argo CD compares."""
    spec: Document = copy.deepcopy(document["spec"])
    for expression in ignored(document["kind"]):
        JQ[expression](spec)
    return spec


def is_out_of_sync(live: Document, git: Document) -> bool:
    """As the application's status says."""
    return normalized(live) != normalized(git)


def with_live_values(live: Document, git: Document) -> Document:
    """What RespectIgnoreDifferences sends: git's object under the merge patch from normalised to real live.

    A merge patch knows no list items, so a list that has anything ignored in it comes from the cluster as a whole.
    """
    compared = normalized(live)
    sent = {**copy.deepcopy(git), "spec": normalized(git)}
    for key, value in live["spec"].items():
        if value != compared.get(key):
            sent["spec"][key] = copy.deepcopy(value)
    return sent


def argo_sync(world: WireWorld, git: Document) -> bool:
    """A sync under the recipe: what is out of sync is applied as git has it, the rest is not touched."""
    if not is_out_of_sync(world.read(git["kind"]), git):
        return False
    apply(world, git, "argocd-controller")
    return True


def flux_reconcile(world: WireWorld, git: Document) -> None:
    """Every interval: a forced apply of what git has, unless the object says no."""
    annotations = world.read(git["kind"])["metadata"].get("annotations") or {}
    if annotations.get("kustomize.toolkit.fluxcd.io/reconcile") != "disabled":
        apply(world, git, "kustomize-controller")


def apply(world: WireWorld, document: Document, manager: str, *, force: bool = True) -> Answer:
    """A server-side apply, seen by the adapter when this returns."""
    path = f"{PATHS[document['kind']].format(world.namespace)}/{document['metadata']['name']}"
    query: dict[str, Any] = {"fieldManager": manager} | ({"force": "true"} if force else {})
    answer = world.cluster.ask("PATCH", path, document, media=APPLY, **query)
    if answer.code < 300:
        _seen(world, answer.body)
    return answer


def merge_patch(world: WireWorld, document: Document, manager: str) -> None:
    """What a client-side apply of a custom resource comes to: the whole list in a merge patch."""
    path = f"{PATHS[document['kind']].format(world.namespace)}/{document['metadata']['name']}"
    _seen(world, world.cluster.patch(path, {"spec": document["spec"]}, media=MERGE, fieldManager=manager))


def _seen(world: WireWorld, kept: Document) -> None:
    if kept["kind"] == "VirtualService":
        wanted = kept["metadata"]["resourceVersion"]
        until(lambda: world._cached_version() >= int(wanted))
