"""The proxy that takes Envoy's place on platforms for which there is none."""

import asyncio
import random
import time
from collections import Counter

import aiohttp
from aiohttp import web

from bot.sandbox.cluster.background import Background
from bot.sandbox.mesh.picker import Asked, choose, edited, find_host, find_route, rewritten
from bot.sandbox.mesh.proxy import Counters, Hear, Served
from bot.sandbox.mesh.routing import (
    Cluster,
    ClusterName,
    Endpoint,
    Forward,
    MeshState,
    Redirect,
    Reply,
    Retry,
    Route,
)

HOP_HEADERS = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})
CONNECT_SECONDS = 1.0


class _Exchange:
    """One request on its way: what the log will say of it."""

    def __init__(self, request: web.Request, body: bytes) -> None:
        self.request = request
        self.body = body
        self.began = time.time()
        self.clock = time.perf_counter()
        self.flags: list[str] = []
        self.cluster: ClusterName | None = None
        self.reached: Endpoint | None = None
        self.tried: set[str] = set()

    def served(self, code: int) -> Served:
        return Served(
            started=self.began,
            milliseconds=round((time.perf_counter() - self.clock) * 1000, 3),
            code=code,
            flags=",".join(self.flags) or "-",
            cluster=self.cluster,
            workload=self.reached.workload if self.reached else None,
            authority=self.request.host,
        )


class PickerProxy:
    """Serves the same routes as Envoy would, more slowly, and says so by `stand_in_reason`."""

    def __init__(self, reason: str, *, hear: Hear, seed: int = 0) -> None:
        self.stand_in_reason = reason
        self._hear = hear
        self._random = random.Random(seed)  # noqa: S311 - a share of traffic, no secret
        self._state = MeshState()
        self._clusters: dict[ClusterName, Cluster] = {}
        self._counts: Counter[ClusterName] = Counter()
        self._turns: Counter[ClusterName] = Counter()
        self._failed = 0
        self._background = Background()
        self._runners: list[web.AppRunner] = []
        self._session: aiohttp.ClientSession | None = None
        self.url = ""
        self.admin_url = ""

    async def start(self) -> None:
        """Listen on two free ports."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        jar, connector = aiohttp.DummyCookieJar(), aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=jar, timeout=timeout)
        served, admin = web.Application(), web.Application()
        served.router.add_route("*", "/{path:.*}", self._handle)
        admin.router.add_get("/stats", self._stats)
        self.url = await self._listen(served)
        self.admin_url = await self._listen(admin)

    async def apply(self, state: MeshState) -> None:
        """Take the state; it is in effect at once."""
        self._clusters = {one.name: one for one in state.clusters}
        self._state = state

    async def counters(self) -> Counters:
        """Requests by cluster, and answers with 5xx."""
        return Counters(dict(self._counts), self._failed)

    async def under_way(self) -> dict[ClusterName, int]:
        """It does not tell."""
        return {}

    def tcp_address(self, port: int) -> tuple[str, int] | None:
        """It passes no connections on."""
        return None

    async def stop(self) -> None:
        """Stop listening."""
        await self._background.stop()
        for runner in self._runners:
            await runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _listen(self, application: web.Application) -> str:
        runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def _stats(self, _: web.Request) -> web.Response:
        lines = [f"cluster.{name}.upstream_rq_total: {count}" for name, count in self._counts.items()]
        return web.Response(text="\n".join([*lines, f"http.mesh.downstream_rq_5xx: {self._failed}", ""]))

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        exchange = _Exchange(request, await request.read())
        try:
            answer = await self._route(exchange)
        except asyncio.CancelledError:
            exchange.flags, exchange.reached = ["DC"], None
            self._hear(exchange.served(0))
            raise
        self._failed += answer.status >= 500
        self._hear(exchange.served(answer.status))
        return answer

    async def _route(self, exchange: _Exchange) -> web.Response:
        request = exchange.request
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers |= {":method": request.method, ":authority": request.host, ":scheme": "http"}
        asked = Asked(request.path, request.query, headers)
        host = find_host(self._state, request.host)
        route = find_route(host, asked) if host else None
        if route is None:
            exchange.flags.append("NR")
            return web.Response(status=404)
        match route.action:
            case Forward():
                return await self._forward(exchange, route, route.action)
            case Redirect(path, authority, code):
                target = f"http://{authority or request.host}{path or request.path}"
                return web.Response(status=code, headers={"location": target})
            case Reply(code, body):
                return web.Response(status=code, text=body)

    async def _forward(self, exchange: _Exchange, route: Route, action: Forward) -> web.Response:
        share = choose(action.shares, self._random.random())
        cluster = self._clusters.get(share.cluster) if share else None
        if share is None or cluster is None:
            exchange.flags.append("NC")
            return web.Response(status=503)
        exchange.cluster = cluster.name
        path = rewritten(action.rewrite, route.match, exchange.request.path)
        kept = {name: value for name, value in exchange.request.headers.items() if name.lower() not in HOP_HEADERS}
        headers = edited(kept, route.request, share.request)
        headers["Host"] = action.rewrite.authority or exchange.request.host
        for mirror in action.mirrors:
            twin = self._clusters.get(mirror.cluster)
            if twin is not None and self._random.random() * 100 < mirror.percent:
                copy = headers | {"Host": f"{headers['Host']}-shadow"}
                self._background.spawn(self._mirror(exchange, twin, path, copy), "mirrored request")
        try:
            async with asyncio.timeout(action.timeout_seconds):
                answer = await self._attempts(exchange, cluster, (path, headers), action.retry)
        except TimeoutError:
            exchange.flags, exchange.reached = ["UT"], None
            return web.Response(status=504)
        headers = edited(answer.headers, route.response, share.response)
        answer.headers.clear()
        answer.headers.update(headers)
        return answer

    async def _attempts(
        self, exchange: _Exchange, cluster: Cluster, sent: tuple[str, dict[str, str]], retry: Retry | None
    ) -> web.Response:
        if not cluster.endpoints:
            exchange.flags.append("UH")
            return web.Response(status=503)
        self._counts[cluster.name] += 1
        left = retry.attempts if retry else 0
        while True:
            flag = None
            try:
                async with asyncio.timeout(retry.per_try_seconds if retry else None):
                    answer = await self._once(exchange, cluster, sent)
            except aiohttp.ClientConnectorError:
                flag, answer = "UF", web.Response(status=503)
            except aiohttp.ClientError:
                flag, answer = "UC", web.Response(status=503)
            except TimeoutError:
                flag, answer = "UT", web.Response(status=504)
            if retry is None or not _is_worth(retry, flag, answer.status):
                exchange.flags += [flag] if flag else []
                return answer
            if left == 0:
                exchange.flags += [one for one in (flag, "URX") if one]
                return answer
            left -= 1

    async def _once(self, exchange: _Exchange, cluster: Cluster, sent: tuple[str, dict[str, str]]) -> web.Response:
        exchange.reached = None
        endpoint = self._next(cluster, exchange.tried)
        path, headers = sent
        url = f"http://{endpoint.address}:{endpoint.port}{path}"
        if self._session is None:
            raise RuntimeError("the proxy has not been started")
        request = exchange.request
        call = self._session.request(
            request.method,
            url,
            params=request.query,
            headers=headers,
            data=exchange.body or None,
            allow_redirects=False,
        )
        async with call as answer:
            body = await answer.read()
        exchange.reached = endpoint
        kept = {key: value for key, value in answer.headers.items() if key.lower() not in HOP_HEADERS}
        return web.Response(status=answer.status, body=body, headers=kept)

    async def _mirror(self, exchange: _Exchange, twin: Cluster, path: str, headers: dict[str, str]) -> None:
        """Send a copy; its answer and its troubles are nobody's."""
        if not twin.endpoints:
            return
        self._counts[twin.name] += 1
        copy = _Exchange(exchange.request, exchange.body)
        try:
            await self._once(copy, twin, (path, headers))
        except (aiohttp.ClientError, TimeoutError):
            return

    def _next(self, cluster: Cluster, tried: set[str]) -> Endpoint:
        """Each in its turn; a retry goes to a pod that was not tried yet, while there is one."""
        self._turns[cluster.name] += 1
        choice = [one for one in cluster.endpoints if one.pod not in tried] or cluster.endpoints
        endpoint = choice[self._turns[cluster.name] % len(choice)]
        tried.add(endpoint.pod)
        return endpoint


def _is_worth(retry: Retry, flag: str | None, code: int) -> bool:
    """Whether an attempt that ended so is repeated, by Envoy's words for it."""
    words = retry.on.split(",")
    if "retriable-status-codes" in words and code in retry.codes:
        return True
    if "5xx" in words and code >= 500:
        return True
    if "gateway-error" in words and code in (502, 503, 504):
        return True
    return (flag == "UF" and "connect-failure" in words) or (flag == "UC" and "reset" in words)
