"""The objects that the probes write."""

from __future__ import annotations

from typing import Any


def virtual_service(name: str = "reviews", **spec: Any) -> dict[str, Any]:
    route = [
        {"destination": {"host": "reviews", "subset": "v1"}, "weight": 100},
        {"destination": {"host": "reviews", "subset": "v2"}, "weight": 0},
    ]
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": name},
        "spec": {"hosts": ["reviews"], "http": [{"name": "main", "route": route}], **spec},
    }


def destination_rule(name: str = "reviews", **spec: Any) -> dict[str, Any]:
    subsets = [{"name": version, "labels": {"version": version}} for version in ("v1", "v2")]
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": name},
        "spec": {"host": "reviews", "subsets": subsets, **spec},
    }


def deployment(name: str = "reviews-v1", **spec: Any) -> dict[str, Any]:
    labels = {"app": "reviews", "version": "v1"}
    pod = {"containers": [{"name": "reviews", "image": "registry.example/reviews:1"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": "reviews"}},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
            **spec,
        },
    }


def config_map(name: str = "facts", labels: dict[str, str] | None = None, **data: str) -> dict[str, Any]:
    metadata = {"name": name, **({"labels": labels} if labels else {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def applied(document: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """Only what an apply means to own."""
    kept = {key: document[key] for key in ("apiVersion", "kind")}
    return {**kept, "metadata": {"name": document["metadata"]["name"]}, "spec": spec}
