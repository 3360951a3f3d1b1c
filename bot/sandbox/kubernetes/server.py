"""The HTTP face: paths to targets, bodies in and out, the token."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import yaml
from aiohttp import web

from bot.sandbox.kubernetes import discovery
from bot.sandbox.kubernetes.kinds import NAMESPACE, kind_at
from bot.sandbox.kubernetes.problems import (
    ApiError,
    Cause,
    bad_request,
    invalid,
    method_not_allowed,
    no_such_path,
    not_found,
    unauthorised,
    unsupported_media,
)
from bot.sandbox.kubernetes.reads import Query, Reader, truth
from bot.sandbox.kubernetes.removals import Removal, Remover
from bot.sandbox.kubernetes.reviews import REVIEW_GROUP, REVIEWS, reviewed
from bot.sandbox.kubernetes.scales import Scales
from bot.sandbox.kubernetes.store import Store
from bot.sandbox.kubernetes.writes import Options, Target, Writer, Written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.typedefs import Handler

    from bot.sandbox.kubernetes.store import Document

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
OPEN_PATHS = ("/healthz", "/livez", "/readyz", "/version", "/version/")
MAX_BODY = 3 * 1024 * 1024


# What a container of the pod (namespace, name, container) has logged; None where there is nothing to read.
Logs = Callable[[str, str, str], Awaitable[str | None]]


class _YamlLoader(yaml.SafeLoader):
    """YAML as JSON sees it: a date is a string."""


_YamlLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def kubeconfig(url: str, token: str | None) -> dict[str, Any]:
    """A kubeconfig document whose only context is this server."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sandbox", "cluster": {"server": url}}],
        "users": [{"name": "sandbox", "user": {"token": token} if token else {}}],
        "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "sandbox"}}],
        "current-context": "sandbox",
    }


class KubernetesApi:
    """One cluster's API. With a token, every other token is refused; without, nobody is asked."""

    def __init__(self, token: str | None = None, logs: Logs | None = None) -> None:
        self._token = token
        self._logs = logs
        self._store = Store()
        self._remover = Remover(self._store)
        self._writer = Writer(self._store, self._remover.settle)
        self._reader = Reader(self._store)
        self._scales = Scales(self._store, self._writer)
        self._watches: set[asyncio.Task[Any]] = set()
        for name in ("default", "kube-system"):
            self._writer.create(Target(NAMESPACE, "v1"), {"metadata": {"name": name}}, Options("kube-apiserver"))

    def application(self) -> web.Application:
        """The server, to be run by whoever owns the event loop."""
        app = web.Application(middlewares=[self._guard], client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._answer)
        app.on_shutdown.append(self._end_watches)
        return app

    async def _end_watches(self, _: web.Application) -> None:
        # A watch lasts for half an hour; a server that stops does not wait for it.
        for watch in list(self._watches):
            watch.cancel()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self._authenticate(request)
            return await handler(request)
        except ApiError as refused:
            return _json(refused.status, refused.code)

    def _authenticate(self, request: web.Request) -> None:
        if self._token is None:
            return
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            if not hmac.compare_digest(given.encode(), self._token.encode()):
                raise unauthorised()
        elif request.path not in OPEN_PATHS:
            message = f'forbidden: User "system:anonymous" cannot {request.method.lower()} path "{request.path}"'
            raise ApiError(403, "Forbidden", message, details={})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path in OPEN_PATHS:
            return _json(discovery.VERSION) if "version" in request.path else web.Response(text="ok")
        parts = [part for part in request.path.split("/") if part]
        match parts:
            case ["api", version, *rest] if rest:
                return await self._resource(request, "", version, rest)
            case ["apis", group, version, *rest] if rest:
                return await self._resource(request, group, version, rest)
            case _:
                return _found(_described(parts))

    async def _resource(self, request: web.Request, group: str, version: str, rest: list[str]) -> web.StreamResponse:
        if group == REVIEW_GROUP and rest[-1] in REVIEWS and request.method == "POST":
            return _json(reviewed(rest[-1], await _body(request)), 201)
        target = _target(group, version, rest)
        if target.subresource == "scale":
            return await self._scale(request, target)
        if target.subresource == "log":
            return await self._log(target, request.query)
        match request.method, bool(target.name):
            case "GET", True:
                return self._get(target)
            case "GET", False:
                return await self._list(request, target)
            case "POST", False:
                return _written(self._writer.create(target, await _body(request), _options(request)))
            case "PUT", True:
                return _written(self._writer.update(target, await _body(request), _options(request)))
            case "PATCH", True:
                return await self._patch(request, target)
            case "DELETE", named if not target.subresource:
                removal = Removal.read(await _body(request, default={}), dict(request.query))
                return self._delete(request, target, removal, whole=not named)
            case _:
                raise method_not_allowed()

    async def _log(self, target: Target, query: Mapping[str, str]) -> web.Response:
        """What a node would give of a container's log; without nodes every log is refused."""
        pod, container = self._store.get(target.kind, target.namespace, target.name), query.get("container", "")
        if pod is None:
            raise not_found(target.kind, target.name)
        containers = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]
        if container and container not in {each["name"] for each in containers}:
            raise bad_request(f"container {container} is not valid for pod {target.name}")
        text = await self._logs(target.namespace, target.name, container) if self._logs is not None else None
        if text is None:
            raise bad_request(f"pod {target.name} does not have a host assigned")
        lines = text.splitlines(keepends=True)
        tail = query.get("tailLines", "")
        return web.Response(text="".join(lines[-int(tail) :] if tail.isdigit() and int(tail) else lines))

    def _get(self, target: Target) -> web.Response:
        found = self._store.get(target.kind, target.namespace, target.name)
        if found is None:
            raise not_found(target.kind, target.name)
        return _json(target.shown(found))

    async def _list(self, request: web.Request, target: Target) -> web.StreamResponse:
        query = Query.read(target, request.query)
        if not truth(request.query.get("watch", "")):
            return _json(self._reader.page(target, query))
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a handler runs in a task
        self._watches.add(task)
        try:
            async for events in self._reader.watch(target, query):
                await response.write(b"".join(_bytes(each) + b"\n" for each in events))
            await response.write_eof()
        except ConnectionError:
            pass  # the watcher left; there is nobody to tell
        finally:
            self._watches.discard(task)
        return response

    async def _patch(self, request: web.Request, target: Target) -> web.Response:
        media, options = request.content_type, _options(request, patch=True)
        accepted = [JSON_PATCH, MERGE_PATCH, APPLY_PATCH]
        if not target.kind.custom:
            accepted.insert(2, STRATEGIC_PATCH)
        if media not in accepted:
            raise unsupported_media(accepted)
        patch = await _body(request, kind=list if media == JSON_PATCH else dict)
        if media == APPLY_PATCH:
            return _written(self._writer.apply(target, patch, options))
        return _written(self._writer.patch(target, media, patch, options))

    async def _scale(self, request: web.Request, target: Target) -> web.Response:
        match request.method:
            case "GET":
                return _json(self._scales.get(target))
            case "PUT":
                return _json(self._scales.put(target, await _body(request), _options(request)))
            case "PATCH" if request.content_type in (MERGE_PATCH, STRATEGIC_PATCH):
                return _json(self._scales.patch(target, await _body(request), _options(request)))
            case "PATCH":
                raise unsupported_media([MERGE_PATCH, STRATEGIC_PATCH])
            case _:
                raise method_not_allowed()

    def _delete(self, request: web.Request, target: Target, removal: Removal, *, whole: bool) -> web.Response:
        if not whole:
            return _json(self._remover.delete(target, removal))
        listed = self._reader.page(target, Query.read(target, request.query))
        for each in listed["items"]:
            metadata = each["metadata"]
            one = Target(target.kind, target.version, metadata.get("namespace", ""), metadata["name"])
            # An object that went with the one before it is as gone as was asked for.
            if self._store.get(one.kind, one.namespace, one.name) is not None:
                self._remover.delete(one, removal)
        return _json(listed)


def _described(parts: list[str]) -> Document | None:
    """What the server says of itself at this path."""
    match parts:
        case ["api"]:
            return discovery.core_versions()
        case ["apis"]:
            return discovery.groups()
        case ["apis", group]:
            return discovery.group(group)
        case ["api", version]:
            return discovery.resource_list("", version)
        case ["apis", group, version]:
            return discovery.resource_list(group, version)
        case ["openapi", "v3"]:
            return discovery.openapi_index()
        case ["openapi", "v3", "api", version]:
            return discovery.openapi("", version)
        case ["openapi", "v3", "apis", group, version]:
            return discovery.openapi(group, version)
        case _:
            return None


def _target(group: str, version: str, rest: list[str]) -> Target:
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] != "status":
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource, *more = [*rest, "", ""] if len(rest) < 3 else rest
    kind = kind_at(group, version, plural)
    if kind is None or more[1:] or (namespace and not kind.namespaced):
        raise no_such_path()
    served = {
        "",
        "status" if kind.status else "",
        "scale" if kind.scale else "",
        "log" if kind.plural == "pods" else "",
    }
    if subresource not in served or (name and kind.namespaced and not namespace):
        raise no_such_path()
    return Target(kind, version, namespace, name, subresource)


def _options(request: web.Request, *, patch: bool = False) -> Options:
    query = request.query
    agent = request.headers.get("User-Agent", "").split("/", 1)[0]
    manager = query.get("fieldManager", "")
    is_apply = request.content_type == APPLY_PATCH
    causes = []
    dry = query.get("dryRun", "")
    if dry not in ("", "All"):
        told = f'Unsupported value: ["{dry}"]: supported values: "All"'
        causes.append(Cause("dryRun", "FieldValueNotSupported", told))
    if is_apply and not manager:
        told = "Required value: is required for apply patch"
        causes.append(Cause("fieldManager", "FieldValueRequired", told))
    if patch and not is_apply and "force" in query:
        told = "Forbidden: may not be specified for non-apply patch"
        causes.append(Cause("force", "FieldValueForbidden", told))
    level = query.get("fieldValidation") or "Warn"
    if level not in ("Ignore", "Warn", "Strict"):
        told = f'Unsupported value: "{level}": supported values: "", "Ignore", "Strict", "Warn"'
        causes.append(Cause("fieldValidation", "FieldValueNotSupported", told))
    if causes:
        named = {"POST": "CreateOptions", "PUT": "UpdateOptions"}.get(request.method, "PatchOptions")
        raise invalid(named, "meta.k8s.io", "", causes)
    return Options(manager or agent or "unknown", dry == "All", level, truth(query.get("force", "")))


async def _body(request: web.Request, *, kind: type = dict, default: Any = None) -> Any:
    if "protobuf" in request.content_type:
        raise unsupported_media(["application/json", "application/yaml"])
    raw = await request.read()
    if not raw and default is not None:
        return default
    try:
        read = json.loads(raw) if raw[:1] in b"{[" or "json" in request.content_type else _yaml(raw)
    except (ValueError, yaml.YAMLError) as wrong:
        raise bad_request(f"the object provided is unrecognized: {wrong}") from wrong
    if not isinstance(read, kind):
        raise bad_request(f"error decoding patch: json: cannot unmarshal {type(read).__name__} into Go value")
    return read


def _yaml(raw: bytes) -> Any:
    return yaml.load(raw, Loader=_YamlLoader)  # noqa: S506 - a safe loader with one resolver less


def _bytes(document: Document) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _json(document: Document, status: int = 200) -> web.Response:
    return web.Response(body=_bytes(document), status=status, content_type="application/json")


def _found(document: Document | None) -> web.Response:
    if document is None:
        return web.Response(text="404 page not found\n", status=404)
    return _json(document)


def _written(written: Written) -> web.Response:
    response = _json(written.document, 201 if written.created else 200)
    for warning in written.warnings:
        escaped = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{escaped}"')
    return response
