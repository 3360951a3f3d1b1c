"""Which GitOps tool writes an object too, told by the marks that it leaves there."""

from collections.abc import Mapping
from typing import Any

FLUX = "kustomize.toolkit.fluxcd.io/"
HANDS_OFF = {f"{FLUX}reconcile": {"disabled"}, f"{FLUX}ssa": {"ifnotpresent", "ignore"}}
ARGO = "argocd.argoproj.io/tracking-id"


def remark(name: str, manifest: Mapping[str, Any] | None) -> str:
    """What a plan says of the tool that applies the VirtualService `name`; empty where none is known to."""
    metadata: Mapping[str, Any] = (manifest or {}).get("metadata") or {}
    annotations, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
    managers = {str(entry.get("manager")) for entry in metadata.get("managedFields") or []}
    if f"{FLUX}name" in labels or "kustomize-controller" in managers:
        if any(str(annotations.get(key) or "").lower() in values for key, values in HANDS_OFF.items()):
            return ""
        return (
            f"Flux applies {name} and would write git's weights back at its next interval: see deploy/gitops/flux.yaml."
        )
    if ARGO in annotations or any(manager.startswith("argocd") for manager in managers):
        return f"Argo CD applies {name}: it keeps these weights only when set up as in deploy/gitops/argo-cd.yaml."
    return ""
