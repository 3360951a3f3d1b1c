"""Services whose counters follow their routes: who is asked counts, in the share that the VirtualService gives."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiohttp.typedefs import Handler

    from bot.mesh.documents import Document

NAMESPACE = "shop"
RATE = 400.0
HARM = 0.3  # of the requests of a version that is bad


@dataclass
class Service:
    """One service: how its route splits, which version is bad, and what was counted so far."""

    name: str
    shares: Mapping[str, float] = field(default_factory=lambda: {"v1": 1.0})
    bad: str = ""
    counted: dict[tuple[str, str], float] = field(default_factory=dict)

    def live(self, seconds: float) -> None:
        """Let requests come for a while."""
        for version in ("v1", "v2"):
            harm = HARM if version == self.bad else 0.0
            for code, part in (("200", 1 - harm), ("503", harm)):
                key = version, code
                grown = RATE * seconds * self.shares.get(version, 0.0) * part
                self.counted[key] = self.counted.get(key, 0.0) + grown

    def page(self) -> str:
        """What a scrape finds."""
        host = f"{self.name}.{NAMESPACE}.svc.cluster.local"
        return "".join(
            f'istio_requests_total{{destination_service="{host}",destination_version="{version}",'
            f'destination_workload="{self.name}-{version}",response_code="{code}",response_flags="-",'
            f'grpc_response_status="",reporter="{reporter}"}} {value:.0f}\n'
            for (version, code), value in self.counted.items()
            for reporter in ("source", "destination")
        )


class Away:
    """A neighbour that is gone for a while: what is asked of it is refused, what is open is cut."""

    def __init__(self) -> None:
        self._until = 0.0
        self._open: set[asyncio.Task[object]] = set()

    def leave(self, seconds: float) -> None:
        """Be gone from now on."""
        self._until = time.monotonic() + seconds
        for task in self._open:
            task.cancel()

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answers while it is there."""
        if time.monotonic() < self._until:
            return web.Response(status=503)
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            return await handler(request)
        finally:
            self._open.discard(task)


class Front:
    """Stands before Prometheus, so that it can be away without being stopped."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.away = Away()

    def application(self) -> web.Application:
        """Passes every request on."""
        app = web.Application(middlewares=[self.away.guard])
        app.router.add_route("*", "/{path:.*}", self._pass)
        return app

    async def _pass(self, request: web.Request) -> web.Response:
        headers = {name: request.headers[name] for name in ("Content-Type",) if name in request.headers}
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method, f"{self._url}{request.path_qs}", data=await request.read(), headers=headers
            ) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)


class Living:
    """All services; it stands in front of the API server and sees each accepted write of a route."""

    def __init__(self, names: Sequence[str]) -> None:
        self.services = {name: Service(name) for name in names}
        self.away = Away()
        self._at = time.monotonic()

    async def serve(self, request: web.Request) -> web.Response:
        """The counters now."""
        del request
        self._live()
        text = "".join(each.page() for each in self.services.values())
        return web.Response(text=f"# TYPE istio_requests_total counter\n{text}", content_type="text/plain")

    def wrap(self, application: web.Application) -> web.Application:
        """The same API server, watched."""
        application.middlewares.extend((self.away.guard, self._watch))
        return application

    def _live(self) -> None:
        now = time.monotonic()
        for each in self.services.values():
            each.live(now - self._at)
        self._at = now

    @web.middleware
    async def _watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        if request.method == "PUT" and "/virtualservices/" in request.path and answer.status == web.HTTPOk.status_code:
            document = json.loads(await request.read())
            self._live()
            self.services[document["metadata"]["name"]].shares = _shares(document)
        return answer


def _shares(document: Document) -> Mapping[str, float]:
    places = document["spec"]["http"][0]["route"]
    whole = sum(place.get("weight", 0) for place in places) or 1
    return {
        place["destination"]["subset"]: place.get("weight", 0) / whole if len(places) > 1 else 1.0 for place in places
    }
