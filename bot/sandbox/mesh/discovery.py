"""Services, DestinationRules and pods read into virtual hosts, clusters and endpoints."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.sandbox.cluster.client import Document
from bot.sandbox.cluster.istio_series import Workload
from bot.sandbox.cluster.pod_documents import HASH_LABEL, PORT_ANNOTATION
from bot.sandbox.mesh.matches import Caller
from bot.sandbox.mesh.routing import (
    Cluster,
    ClusterName,
    Endpoint,
    Forward,
    Match,
    MeshState,
    Route,
    Share,
    TcpRoute,
    VirtualHost,
)
from bot.sandbox.mesh.virtual_services import (
    Naming,
    applies_to,
    full_host,
    ignored_fields,
    read_routes,
    read_tcp,
)

GATEWAY_PORT = 80  # the port at which callers outside come in; a destination without a port of its own goes there


@dataclass(frozen=True)
class Objects:
    """What the API server holds of one namespace."""

    services: tuple[Document, ...]
    rules: tuple[Document, ...]
    virtual_services: tuple[Document, ...]
    pods: tuple[Document, ...]


def read_mesh(objects: Objects, namespace: str, caller: Caller) -> MeshState:
    """The whole state a proxy needs."""
    ports = {_host(one): tuple(port["port"] for port in one["spec"]["ports"]) for one in objects.services}
    owners = _owners(objects.virtual_services, namespace, caller)
    hosts: list[VirtualHost] = []
    tcp: list[TcpRoute] = []
    if caller.is_gateway:
        hosts += [
            _at_gateway(host, one, Naming(namespace, ports, GATEWAY_PORT), caller) for host, one in owners.items()
        ]
    for service in () if caller.is_gateway else objects.services:
        owner, own = owners.get(_host(service)), ports[_host(service)]
        for number, port in enumerate(own):
            hosts.append(_virtual_host(service, owner, Naming(namespace, ports, port), caller, (number, port)))
        if owner is not None:
            tcp += read_tcp(owner, own, lambda port: Naming(namespace, ports, port))
    clusters = _clusters(objects, namespace, ports)
    ignored = [text for one in owners.values() for text in ignored_fields(one)]
    return MeshState(tuple(hosts), (*clusters, *_twins(hosts, clusters)), tuple(tcp), tuple(sorted(set(ignored))))


def _at_gateway(host: str, owner: Document, naming: Naming, caller: Caller) -> VirtualHost:
    """What a gateway serves under a host that callers outside use, at whichever port they came in."""
    return VirtualHost(host, (host, f"{host}:*"), read_routes(owner, naming, caller))


def _owners(documents: Iterable[Document], namespace: str, caller: Caller) -> dict[str, Document]:
    """The VirtualService of each host; of two for the same host the older one, as istiod has it."""
    found: dict[str, Document] = {}
    for one in sorted(documents, key=_age):
        if applies_to(one, caller):
            for host in one["spec"].get("hosts", []):
                found.setdefault(full_host(host, namespace), one)
    return found


def _age(document: Document) -> tuple[str, str]:
    meta = document["metadata"]
    return meta.get("creationTimestamp", ""), meta["name"]


def _virtual_host(
    service: Document, owner: Document | None, naming: Naming, caller: Caller, place: tuple[int, int]
) -> VirtualHost:
    number, port = place
    host = _host(service)
    meta = service["metadata"]
    name, namespace = meta["name"], meta["namespace"]
    names = (name, f"{name}.{namespace}", f"{name}.{namespace}.svc", host)
    bare = names if number == 0 else ()
    domains = (*bare, *(f"{one}:{port}" for one in names))
    if owner is None:
        share = Share(ClusterName(port, "", host), 0)
        routes: tuple[Route, ...] = (Route("default", Match(), Forward((share,))),)
    else:
        routes = read_routes(owner, naming, caller)
    return VirtualHost(f"{host}:{port}", domains, routes)


def _clusters(objects: Objects, namespace: str, ports: dict[str, tuple[int, ...]]) -> list[Cluster]:
    found = []
    for service in objects.services:
        host = _host(service)
        pods = _endpoints(objects.pods, service["spec"].get("selector", {}))
        for port in ports[host]:
            found.append(Cluster(ClusterName(port, "", host), pods))
            for name, labels in _subsets(objects.rules, host, namespace).items():
                selector = service["spec"].get("selector", {}) | labels
                found.append(Cluster(ClusterName(port, name, host), _endpoints(objects.pods, selector)))
    return found


def _subsets(rules: Iterable[Document], host: str, namespace: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for rule in sorted(rules, key=_age):
        if full_host(rule["spec"]["host"], namespace) == host:
            for subset in rule["spec"].get("subsets", []):
                found.setdefault(subset["name"], subset.get("labels", {}))
    return found


def _twins(hosts: Iterable[VirtualHost], clusters: Iterable[Cluster]) -> list[Cluster]:
    """The clusters of mirrored requests, beside those they copy."""
    known = {one.name: one for one in clusters}
    forwards = [route.action for host in hosts for route in host.routes if isinstance(route.action, Forward)]
    wanted = {mirror.cluster for action in forwards for mirror in action.mirrors}
    originals = {name: known.get(replace(name, is_mirror=False)) for name in sorted(wanted, key=str)}
    return [Cluster(name, one.endpoints) for name, one in originals.items() if one is not None]


def _endpoints(pods: Iterable[Document], selector: dict[str, str]) -> tuple[Endpoint, ...]:
    """The ready pods that carry all labels of the selector; an empty selector takes none."""
    found = [
        endpoint
        for pod in pods
        if selector and selector.items() <= pod["metadata"].get("labels", {}).items()
        for endpoint in _endpoint(pod)
    ]
    return tuple(sorted(found, key=lambda one: one.pod))


def _endpoint(pod: Document) -> tuple[Endpoint, ...]:
    meta = pod["metadata"]
    port = meta.get("annotations", {}).get(PORT_ANNOTATION)
    if port is None or not is_ready(pod):
        return ()
    workload = Workload.of_pod(workload_name(pod), meta["namespace"], meta.get("labels", {}))
    return (Endpoint(meta["name"], pod["status"]["podIP"], int(port), workload),)


def is_ready(pod: Document) -> bool:
    """Whether a pod may get requests: Ready, with an address, and not on its way out."""
    status = pod.get("status", {})
    if pod["metadata"].get("deletionTimestamp") or not status.get("podIP"):
        return False
    return any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions", []))


def workload_name(pod: Document) -> str:
    """The Deployment a pod belongs to, told by its name as Istio does."""
    meta = pod["metadata"]
    template = meta.get("labels", {}).get(HASH_LABEL)
    name: str = meta["name"]
    return name.rpartition(f"-{template}-")[0] if template else name


def _host(service: Document) -> str:
    meta = service["metadata"]
    return f"{meta['name']}.{meta['namespace']}.svc.cluster.local"
