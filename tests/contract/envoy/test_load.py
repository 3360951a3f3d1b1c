"""The callers of the demonstration: as many as asked for, and never more at once than may be."""

import asyncio

from aiohttp import web

from bot.sandbox.mesh.load import Load
from bot.sandbox.web_server import WebServer
from tests.contract.envoy.api_servers import eventually
from tests.contract.envoy.bench import run


def test_who_would_be_one_too_many_waits_until_another_has_an_answer() -> None:
    answers, asking, most = asyncio.Semaphore(0), 0, 0

    async def answered(_: web.Request) -> web.Response:
        nonlocal asking, most
        asking += 1
        most = max(most, asking)
        await answers.acquire()
        asking -= 1
        return web.Response(headers={"x-version": "v1"})

    async def story() -> None:
        application = web.Application()
        application.router.add_get("/{path:.*}", answered)
        server = WebServer(application)
        await server.start()
        load = Load(server.url, "reviews", rate=1000)
        load.at_once = 5
        await load.start()

        async def are_asking(sent: int) -> bool:
            return (asking, load.total.sent >= sent) == (5, True)

        try:
            for sent in (0, 20):
                await eventually(lambda sent=sent: are_asking(sent))  # type: ignore[misc]
                for _ in range(40):
                    answers.release()
            await eventually(lambda: are_asking(60))
        finally:
            await load.stop()
            await server.stop()
        assert most == 5
        assert load.total.failed == 0

    run(story())
