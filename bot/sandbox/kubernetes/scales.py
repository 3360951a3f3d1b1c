"""The scale subresource of workloads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.sandbox.kubernetes import patches
from bot.sandbox.kubernetes.checks import not_negative
from bot.sandbox.kubernetes.problems import bad_request, invalid, not_found

if TYPE_CHECKING:
    from bot.sandbox.kubernetes.store import Document, Store
    from bot.sandbox.kubernetes.writes import Options, Target, Writer


class Scales:
    """Reads and writes `spec.replicas` alone, under its own field owner."""

    def __init__(self, store: Store, writer: Writer) -> None:
        self._store = store
        self._writer = writer

    def get(self, target: Target) -> Document:
        """The workload's Scale."""
        return _scale(self._workload(target))

    def put(self, target: Target, scale: Document, options: Options) -> Document:
        """Set the replicas; refused when the Scale was read from an older workload."""
        workload = self._workload(target)
        replicas = (scale.get("spec") or {}).get("replicas", 0)
        if not isinstance(replicas, int) or isinstance(replicas, bool):
            raise bad_request("Scale: spec.replicas must be an integer")
        causes = list(not_negative(replicas, "spec.replicas"))
        if causes:
            raise invalid("Scale", "autoscaling", target.name, causes)
        told = (scale.get("metadata") or {}).get("resourceVersion")
        metadata = {**workload["metadata"], "resourceVersion": told}
        wanted = {**workload, "metadata": metadata, "spec": {**workload["spec"], "replicas": replicas}}
        written = self._writer.update(replace(target, subresource="scale"), wanted, options)
        return _scale(written.document)

    def patch(self, target: Target, patch: Document, options: Options) -> Document:
        """Merge into the Scale, then set it."""
        return self.put(target, patches.merge(self.get(target), patch), options)

    def _workload(self, target: Target) -> Document:
        found = self._store.get(target.kind, target.namespace, target.name)
        if found is None:
            raise not_found(target.kind, target.name)
        return found


def _scale(workload: Document) -> Document:
    held = workload["metadata"]
    names = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    selector = (workload["spec"].get("selector") or {}).get("matchLabels", {})
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: held[name] for name in names if name in held},
        "spec": {"replicas": workload["spec"].get("replicas", 0)},
        "status": {
            "replicas": workload.get("status", {}).get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in sorted(selector.items())),
        },
    }
