"""The shop's objects as Kubernetes documents, for tests of the mesh."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]


def a_destination(subset: str | None = "v1", weight: int | None = None, host: str = "reviews", **more: Any) -> Document:
    """One weighted destination; an absent weight stays absent."""
    destination: Document = {"destination": {"host": host} | ({"subset": subset} if subset else {}), **more}
    return destination if weight is None else destination | {"weight": weight}


def a_virtual_service(
    *http: Document, name: str = "reviews", namespace: str = "shop", version: str = "v1", **spec: Any
) -> Document:
    """A VirtualService of reviews; its main route sends everything to v1 when no routes are given."""
    routes = list(http) or [{"name": "main", "route": [a_destination()], "timeout": "10s"}]
    return {
        "apiVersion": f"networking.istio.io/{version}",
        "kind": "VirtualService",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"hosts": ["reviews"], "http": routes, **spec},
    }


def a_rule(*subsets: Document, name: str = "reviews", namespace: str = "shop", host: str = "reviews") -> Document:
    """A DestinationRule with subsets v1 and v2 unless others are given."""
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"host": host, "subsets": list(subsets) or [a_subset("v1"), a_subset("v2")]},
    }


def a_subset(version: str, label: str = "version", **more: Any) -> Document:
    """A subset called like the version it selects."""
    return {"name": version, "labels": {label: version}, **more}


def a_service(name: str = "reviews", namespace: str = "shop") -> Document:
    """A Service that selects by `app`."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 9080}]},
    }


def a_deployment(
    version: str, app: str = "reviews", namespace: str = "shop", label: str = "version", replicas: int = 2
) -> Document:
    """The Deployment of one version."""
    labels = {"app": app, label: version}
    containers = [{"name": app, "image": f"shop/{app}:{version}"}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"{app}-{version}", "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    }


def a_pod(
    version: str, number: int = 0, app: str = "reviews", namespace: str = "shop", label: str = "version"
) -> Document:
    """A pod of one version, without status."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{app}-{version}-{number}",
            "namespace": namespace,
            "labels": {"app": app, label: version},
        },
        "spec": {"containers": [{"name": app, "image": f"shop/{app}:{version}"}]},
    }


def ready_status() -> Document:
    """The status of a pod that takes requests."""
    return {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


def waiting_status(reason: str, message: str) -> Document:
    """The status of a pod whose container waits."""
    container: Document = {
        "name": "reviews",
        "ready": False,
        "restartCount": 0,
        "image": "",
        "imageID": "",
        "state": {"waiting": {"reason": reason, "message": message}},
    }
    conditions = [{"type": "Ready", "status": "False"}]
    return {"phase": "Pending", "conditions": conditions, "containerStatuses": [container]}
