"""The ASGI application and the server thread that serves it."""

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from bot.api.telemetry import exposition

Application = FastAPI  # so that the composition root can name the type without the library

SlackHandler = Callable[[Mapping[str, str], str], tuple[int, Mapping[str, str], str]]
LARGEST = 1_000_000  # bytes; Slack's own payloads stay far below


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the bot can work, and what is wrong with it or its neighbours, one sentence each."""

    ready: bool
    reasons: tuple[str, ...] = ()


def application(
    readiness: Callable[[], Readiness], active: Callable[[], int | None], slack: SlackHandler | None
) -> FastAPI:
    """The routes; `active` counts the releases that are not over.

    Without `slack` the signed payloads are answered 404, because the socket carries them.
    """
    app = FastAPI(title="Sluice", docs_url=None, redoc_url=None)

    @app.get("/healthz")
    def healthz() -> dict[str, bool]:
        return {"alive": True}

    @app.get("/readyz")
    def readyz() -> JSONResponse:
        found = readiness()
        return JSONResponse({"ready": found.ready, "reasons": list(found.reasons)}, 200 if found.ready else 503)

    @app.get("/metrics")
    def metrics() -> Response:
        body, content_type = exposition(active())
        return Response(body, media_type=content_type)

    if slack is not None:

        @app.post("/slack/events")
        async def slack_events(request: Request) -> Response:
            body = await request.body()
            if len(body) > LARGEST:
                return Response("The payload is larger than Slack sends.", 413)
            headers = {name: value for name, value in request.headers.items()}
            # Bolt's listeners are synchronous; the loop must stay free for the next payload.
            status, answer, text = await run_in_threadpool(slack, headers, body.decode("utf-8", "replace"))
            return Response(text, status, dict(answer))

    return app


class PortTaken(Exception):
    """SLUICE_LISTEN names an address that cannot be bound."""


class HttpDoor:
    """Serves an application on one address from a thread of its own."""

    def __init__(self, address: str, app: FastAPI) -> None:
        host, _, port = address.rpartition(":")
        self._socket = _bound(host.strip("[]"), int(port), address)
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    @property
    def address(self) -> str:
        """HOST:PORT as bound."""
        host, port = self._socket.getsockname()[:2]
        return f"{host}:{port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the requests at hand and close the address."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=3)
        self._socket.close()

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])


def _bound(host: str, port: int, address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise PortTaken(f"SLUICE_LISTEN={address}: cannot listen there ({error.strerror or error})") from error
    return bound


def merged(reasons: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """All sentences in order, each once."""
    return tuple(dict.fromkeys(reason for group in reasons for reason in group))
