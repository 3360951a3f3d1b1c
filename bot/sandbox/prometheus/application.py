"""The HTTP API of Prometheus that clients of a metrics store use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from bot.sandbox.prometheus import answers, parameters
from bot.sandbox.prometheus.evaluator import evaluate
from bot.sandbox.prometheus.labels import EMPTY, Labels
from bot.sandbox.prometheus.parameters import BadParameterError, Parameters
from bot.sandbox.prometheus.tree import BadQueryError, Kind, Node, kind
from bot.sandbox.prometheus.values import ExecutionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.sandbox.prometheus.samples import SampleStore
    from bot.sandbox.prometheus.scraper import Scrape

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
VERSION = "2.42.0"


class Api:
    """Answers questions about one store."""

    def __init__(self, store: SampleStore, scrapes: Callable[[], Sequence[Scrape]]) -> None:
        self._store = store
        self._scrapes = scrapes

    def application(self) -> web.Application:
        """The routes, without anything that runs beside them."""
        app = web.Application(middlewares=[_errors])
        both_ways = {
            "query": self.query,
            "query_range": self.query_range,
            "series": self.series,
            "labels": self.label_names,
        }
        for path, answer in both_ways.items():
            app.router.add_get(f"/api/v1/{path}", _answering(answer))
            app.router.add_post(f"/api/v1/{path}", _answering(answer))
        app.router.add_get("/api/v1/label/{name}/values", self._label_values)
        app.router.add_get("/api/v1/targets", _answering(self.targets))
        app.router.add_get("/api/v1/status/buildinfo", _answering(_build))
        app.router.add_get("/", _root)
        app.router.add_get("/-/ready", _ready)
        app.router.add_get("/-/healthy", _healthy)
        return app

    def query(self, asked: Parameters) -> object:
        """`/query`: the value at one instant."""
        at = parameters.instant(asked)
        return answers.instant(evaluate(self._store, parameters.query(asked), at), at)

    def query_range(self, asked: Parameters) -> object:
        """`/query_range`: the value at each step."""
        start, end, step = parameters.span(asked)
        node = parameters.query(asked)
        if kind(node) not in (Kind.SCALAR, Kind.VECTOR):
            yields = "range vector" if kind(node) is Kind.MATRIX else "string"
            raise BadParameterError(
                f'invalid expression type "{yields}" for range query, must be Scalar or instant Vector'
            )
        found: dict[Labels, list[tuple[int, float]]] = {}
        for at in range(start, end + 1, step):
            for labels, value in self._at_step(node, at):
                found.setdefault(labels, []).append((at, value))
        return answers.matrix(found)

    def _at_step(self, node: Node, at: int) -> Iterable[tuple[Labels, float]]:
        value = evaluate(self._store, node, at)
        if isinstance(value, list):
            return value
        return [(EMPTY, value)] if isinstance(value, float) else []

    def series(self, asked: Parameters) -> object:
        """`/series`: the label sets that any selector chooses."""
        if not asked.get("match[]"):
            raise BadParameterError("no match[] parameter provided")
        return [labels.as_dict() for labels in self._chosen(asked)]

    def label_names(self, asked: Parameters) -> object:
        """`/labels`: the names in use."""
        return sorted({name for labels in self._chosen(asked) for name, _ in labels.pairs})

    def targets(self, asked: Parameters) -> object:
        """`/targets`: what is scraped and how it fares."""
        wanted = next(iter(asked.get("state", ())), "any")
        active = [] if wanted == "dropped" else [answers.target(scrape) for scrape in self._scrapes()]
        return {"activeTargets": active, "droppedTargets": []}

    async def _label_values(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        values = {labels.get(name) for labels in self._chosen(await _parameters(request))}
        return web.json_response(answers.success(sorted(values - {""})))

    def _chosen(self, asked: Parameters) -> list[Labels]:
        start, end = parameters.limits(asked)
        wanted = parameters.selectors(asked)
        chosen = [
            series.labels
            for series in self._store
            if series.lives_in(start, end)
            and (not wanted or any(selector.accepts(series.labels) for selector in wanted))
        ]
        return sorted(chosen, key=lambda labels: labels.pairs)


def _answering(answer: Callable[[Parameters], object]) -> _Handler:
    async def handler(request: web.Request) -> web.Response:
        return web.json_response(answers.success(answer(await _parameters(request))))

    return handler


async def _parameters(request: web.Request) -> Mapping[str, Sequence[str]]:
    """The query's and the form's parameters together, as Prometheus merges them."""
    merged: dict[str, list[str]] = {}
    form = await request.post() if request.method == "POST" else {}
    for name, value in (*form.items(), *request.query.items()):
        if isinstance(value, str):
            merged.setdefault(name, []).append(value)
    return merged


@web.middleware
async def _errors(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (BadParameterError, BadQueryError) as error:
        return web.json_response(answers.failure("bad_data", str(error)), status=400)
    except ExecutionError as error:
        return web.json_response(answers.failure("execution", str(error)), status=422)


def _build(_: Parameters) -> object:
    return {
        "version": VERSION,
        "revision": "stand-in",
        "branch": "",
        "buildUser": "sluice sandbox",
        "buildDate": "",
        "goVersion": "",
    }


async def _root(_: web.Request) -> web.Response:
    # Clients ask for this page to see whether anybody is there; the real one shows its console.
    return web.Response(text="A stand-in of Prometheus for the sandbox; its API is under /api/v1.\n")


async def _ready(_: web.Request) -> web.Response:
    return web.Response(text="Prometheus Server is Ready.\n")


async def _healthy(_: web.Request) -> web.Response:
    return web.Response(text="Prometheus Server is Healthy.\n")
