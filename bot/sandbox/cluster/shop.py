"""The objects of the demonstration shop: two services, three Deployments, one VirtualService."""

from bot.sandbox.cluster.client import (
    DEPLOYMENTS,
    DESTINATION_RULES,
    NAMESPACES,
    SERVICES,
    VIRTUAL_SERVICES,
    ApiError,
    Document,
    KubernetesClient,
    Resource,
)

SERVICE = "reviews"
PORT = 9080
CONFLICT = 409


def shop_objects(namespace: str) -> list[tuple[Resource, Document]]:
    """Everything but the namespace, in the order in which it is created."""
    return [
        (SERVICES, _service(SERVICE)),
        (SERVICES, _service("ratings")),
        (DEPLOYMENTS, _deployment(SERVICE, "v1", 3)),
        (DEPLOYMENTS, _deployment(SERVICE, "v2", 2)),
        (DEPLOYMENTS, _deployment("ratings", "v1", 1)),
        (DESTINATION_RULES, _destination_rule()),
        (VIRTUAL_SERVICES, _virtual_service(namespace)),
    ]


async def plant(client: KubernetesClient, namespace: str) -> None:
    """Create the namespace and the shop in it; what is there already stays as it is."""
    home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    await _create(client, NAMESPACES, None, home)
    for resource, body in shop_objects(namespace):
        await _create(client, resource, namespace, body)


async def _create(client: KubernetesClient, resource: Resource, namespace: str | None, body: Document) -> None:
    try:
        await client.create(resource, namespace, body)
    except ApiError as refusal:
        if refusal.status != CONFLICT:
            raise


def _service(name: str) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "selector": {"app": name},
            "ports": [{"name": "http", "protocol": "TCP", "port": PORT, "targetPort": PORT}],
        },
    }


def _deployment(service: str, version: str, replicas: int) -> Document:
    labels = {"app": service, "version": version}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"{service}-{version}", "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [
                        {
                            "name": service,
                            "image": f"shop/{service}:{version}",
                            "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
                            "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}},
                        }
                    ]
                },
            },
        },
    }


def _destination_rule() -> Document:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": SERVICE},
        "spec": {
            "host": SERVICE,
            "subsets": [{"name": version, "labels": {"version": version}} for version in ("v1", "v2")],
        },
    }


def _virtual_service(namespace: str) -> Document:
    # The first route is somebody else's and leads elsewhere: a release must leave it as it is.
    ratings = f"ratings.{namespace}.svc.cluster.local"
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": SERVICE},
        "spec": {
            "hosts": [SERVICE],
            "http": [
                {
                    "name": "stars",
                    "match": [{"uri": {"prefix": "/reviews/stars"}, "method": {"exact": "GET"}}],
                    "rewrite": {"uri": "/ratings"},
                    "route": [{"destination": {"host": ratings, "port": {"number": PORT}}}],
                    "timeout": "2s",
                    "retries": {
                        "attempts": 2,
                        "perTryTimeout": "1s",
                        "retryOn": "gateway-error,connect-failure",
                    },
                },
                {
                    "name": "main",
                    "route": [{"destination": {"host": SERVICE, "subset": "v1"}}],
                    "timeout": "10s",
                    "retries": {
                        "attempts": 1,
                        "perTryTimeout": "5s",
                        "retryOn": "connect-failure,refused-stream",
                    },
                },
            ],
        },
    }
