"""VirtualServices read into routes, as istiod reads them for a sidecar."""

import re
from collections.abc import Callable, Mapping, Sequence

from bot.sandbox.cluster.client import Document
from bot.sandbox.mesh.matches import Caller, read_matches
from bot.sandbox.mesh.routing import (
    DEFAULT_RETRY,
    ClusterName,
    Forward,
    HeaderEdits,
    Mirror,
    Redirect,
    Reply,
    Retry,
    Rewrite,
    Route,
    Share,
    TcpRoute,
)

UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
NOT_HONOURED = ("fault", "corsPolicy", "delegate")


class Naming:
    """Resolves a destination to the cluster that serves it.

    A host without a dot belongs to the VirtualService's namespace. A destination without a port goes to the
    service's only port, or to the port the caller used.
    """

    def __init__(self, namespace: str, ports: Mapping[str, tuple[int, ...]], listener_port: int) -> None:
        self._namespace = namespace
        self._ports = ports
        self._listener_port = listener_port

    def cluster(self, destination: Document, *, is_mirror: bool = False) -> ClusterName:
        """The cluster of a destination."""
        host = full_host(destination["host"], self._namespace)
        port = destination.get("port", {}).get("number")
        if port is None:
            known = self._ports.get(host, ())
            port = known[0] if len(known) == 1 else self._listener_port
        return ClusterName(port, destination.get("subset", ""), host, is_mirror)


def full_host(host: str, namespace: str) -> str:
    """A short host in its namespace; one with a dot as it is."""
    return host if "." in host else f"{host}.{namespace}.svc.cluster.local"


def applies_to(document: Document, caller: Caller) -> bool:
    """Whether this caller's proxy sees the VirtualService at all."""
    return caller.is_among(document["spec"].get("gateways") or [])


def read_routes(document: Document, naming: Naming, caller: Caller) -> tuple[Route, ...]:
    """The routes in their order, one for each match block."""
    routes: list[Route] = []
    for position, http in enumerate(document["spec"].get("http", [])):
        name = http.get("name", str(position))
        action = _action(http, naming)
        request, response = read_edits(http)
        matches = read_matches(http, caller)
        routes.extend(Route(name, match, action, request, response) for match in matches)
    return tuple(routes)


def read_tcp(document: Document, ports: Sequence[int], naming: Callable[[int], Naming]) -> tuple[TcpRoute, ...]:
    """Where connections to the service's ports go: the first route that is meant for a port takes it."""
    found: dict[int, TcpRoute] = {}
    for position, tcp in enumerate(document["spec"].get("tcp", [])):
        named = {match["port"] for match in tcp.get("match", []) if "port" in match}
        for port in ports:
            if port in named and port not in found:
                shares = tuple(_share(one, naming(port)) for one in tcp.get("route", []))
                found[port] = TcpRoute(f"{document['metadata']['name']}-tcp-{position}-{port}", port, shares)
    return tuple(found.values())


def ignored_fields(document: Document) -> list[str]:
    """What the objects ask for and the sandbox does not do."""
    name, spec = document["metadata"]["name"], document["spec"]
    found = [f"VirtualService {name}: tls"] if spec.get("tls") else []
    for position, tcp in enumerate(spec.get("tcp", [])):
        matches = tcp.get("match", [])
        if not matches or any(match.keys() != {"port"} for match in matches):
            found.append(f"VirtualService {name}: tcp[{position}].match without a port alone")
    for position, http in enumerate(spec.get("http", [])):
        keys = [key for key in NOT_HONOURED if key in http]
        found.extend(f"VirtualService {name}: http[{position}].{key}" for key in keys)
    return found


def read_edits(holder: Document) -> tuple[HeaderEdits, HeaderEdits]:
    """The edits of the request's and of the response's headers."""
    headers = holder.get("headers", {})
    return _edits(headers.get("request", {})), _edits(headers.get("response", {}))


def seconds(text: str | None) -> float | None:
    """An Istio duration such as `1m30s` or `250ms`."""
    if text is None:
        return None
    parts = re.findall(r"([\d.]+)(ms|h|m|s)", text)
    return sum(float(value) * UNITS[unit] for value, unit in parts)


def _edits(block: Document) -> HeaderEdits:
    return HeaderEdits(
        tuple(block.get("set", {}).items()),
        tuple(block.get("add", {}).items()),
        tuple(block.get("remove", [])),
    )


def _action(http: Document, naming: Naming) -> Forward | Redirect | Reply:
    if "redirect" in http:
        target = http["redirect"]
        return Redirect(target.get("uri"), target.get("authority"), target.get("redirectCode", 301))
    if "directResponse" in http:
        answer = http["directResponse"]
        return Reply(answer["status"], answer.get("body", {}).get("string", ""))
    timeout = seconds(http.get("timeout"))
    return Forward(
        tuple(_share(one, naming) for one in http.get("route", [])),
        _mirrors(http, naming),
        timeout or None,
        _retry(http.get("retries")),
        _rewrite(http.get("rewrite", {})),
    )


def _share(destination: Document, naming: Naming) -> Share:
    request, response = read_edits(destination)
    cluster = naming.cluster(destination["destination"])
    return Share(cluster, destination.get("weight", 0), request, response)


def _mirrors(http: Document, naming: Naming) -> tuple[Mirror, ...]:
    found = []
    if http.get("mirror"):
        old_style = http.get("mirrorPercent", http.get("mirror_percent", 100))
        percent = http.get("mirrorPercentage", {"value": old_style}).get("value", 0)
        found.append(Mirror(naming.cluster(http["mirror"], is_mirror=True), percent))
    for one in http.get("mirrors", []):
        percent = one.get("percentage", {"value": 100}).get("value", 0)
        found.append(Mirror(naming.cluster(one["destination"], is_mirror=True), percent))
    return tuple(one for one in found if one.percent > 0)


def _retry(block: Document | None) -> Retry | None:
    if block is None:
        return DEFAULT_RETRY
    attempts = block.get("attempts", 0)
    if attempts == 0:
        return None
    # Istio lets status codes stand among the conditions; a proxy wants them apart.
    wanted = [one.strip() for one in block.get("retryOn", DEFAULT_RETRY.on).split(",") if one.strip()]
    codes = tuple(int(one) for one in wanted if one.isdigit())
    words = [one for one in wanted if not one.isdigit()]
    if codes and "retriable-status-codes" not in words:
        words.append("retriable-status-codes")
    return Retry(attempts, ",".join(words), codes, seconds(block.get("perTryTimeout")))


def _rewrite(block: Document) -> Rewrite:
    regex = block.get("uriRegexRewrite")
    pattern = (regex["match"], regex["rewrite"]) if regex else None
    return Rewrite(block.get("uri"), pattern, block.get("authority"))
