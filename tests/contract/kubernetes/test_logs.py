"""Logs of containers: the stand-in gives what a node would, where somebody keeps them."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from bot.sandbox.kubernetes import KubernetesApi
from bot.sandbox.web_server import WebServer

POD = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "reviews", "image": "shop/reviews:v1"}]}}
PATH = "/api/v1/namespaces/default/pods"


async def kept(namespace: str, pod: str, container: str) -> str | None:
    return "one\ntwo\nthree\n" if (namespace, pod, container) == ("default", "a", "reviews") else None


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (f"{PATH}/a/log?container=reviews&tailLines=2", 200, "two\nthree\n"),
        (f"{PATH}/a/log?container=reviews", 200, "one\ntwo\nthree\n"),
        (f"{PATH}/a/log?container=other", 400, "container other is not valid for pod a"),
        (f"{PATH}/a/log", 400, "does not have a host assigned"),
        (f"{PATH}/b/log", 404, "not found"),
    ],
)
def test_a_log_is_given_by_its_last_lines_where_one_is_kept(path: str, status: int, words: str) -> None:
    async def story() -> None:
        server = WebServer(KubernetesApi(None, kept).application())
        await server.start()
        try:
            async with aiohttp.ClientSession() as session:
                async with session.post(server.url + PATH, json=POD) as made:
                    assert made.status == 201
                async with session.get(server.url + path) as answer:
                    assert answer.status == status
                    assert words in await answer.text()
        finally:
            await server.stop()

    asyncio.run(story())
