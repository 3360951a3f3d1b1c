"""Documents for the mesh's tests."""

from typing import Any

from bot.sandbox.cluster.pod_documents import HASH_LABEL, PORT_ANNOTATION
from bot.sandbox.mesh.discovery import Objects, read_mesh
from bot.sandbox.mesh.matches import Caller
from bot.sandbox.mesh.routing import MeshState, Route
from bot.sandbox.mesh.virtual_services import Naming, read_routes

Document = dict[str, Any]
CALLER = Caller("shop", (("app", "shoppers"),))
GATEWAY = Caller("istio-system", (("istio", "ingressgateway"),), is_gateway=True)
HOST = "reviews.shop.svc.cluster.local"


def service(name: str = "reviews", *ports: int) -> Document:
    spec = {"selector": {"app": name}, "ports": [{"port": port} for port in ports or (9080,)]}
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": spec}


def rule(*versions: str) -> Document:
    subsets = [{"name": one, "labels": {"version": one}} for one in versions]
    return {"metadata": {"name": "reviews"}, "spec": {"host": "reviews", "subsets": subsets}}


def virtual_service(*http: Document, name: str = "reviews", created: str = "1", **spec: Any) -> Document:
    meta = {"name": name, "creationTimestamp": created}
    return {"metadata": meta, "spec": {"hosts": ["reviews"], "http": list(http), **spec}}


def to(subset: str | None = None, weight: int | None = None, host: str = "reviews") -> Document:
    destination = {"host": host} | ({"subset": subset} if subset else {})
    return {"destination": destination} | ({} if weight is None else {"weight": weight})


def pod(name: str, version: str, *, port: int | None = 4001, ready: bool = True, **meta: Any) -> Document:
    labels = {"app": "reviews", "version": version, HASH_LABEL: "abc"}
    annotations = {} if port is None else {PORT_ANNOTATION: str(port)}
    return {
        "metadata": {
            "name": f"reviews-{version}-abc-{name}",
            "namespace": "shop",
            "labels": labels,
            "annotations": annotations,
            **meta,
        },
        "status": {"podIP": "127.0.0.1", "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def routes(*http: Document) -> tuple[Route, ...]:
    naming = Naming("shop", {HOST: (9080,)}, 9080)
    return read_routes(virtual_service(*http), naming, CALLER)


def mesh(
    *pods: Document, services: Any = None, rules: Any = (), owners: Any = (), caller: Caller = CALLER
) -> MeshState:
    services = (service(),) if services is None else services
    return read_mesh(Objects(tuple(services), tuple(rules), tuple(owners), pods), "shop", caller)
