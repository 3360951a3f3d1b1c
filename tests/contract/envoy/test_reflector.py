import asyncio
from collections.abc import Callable

from bot.sandbox.cluster.client import PODS, KubernetesClient
from bot.sandbox.cluster.reflector import Reflector
from tests.contract.envoy.scripted_api import GONE, Document, ScriptedApi, event, pod
from tests.contract.patience import PATIENCE


async def _holds(condition: Callable[[], bool]) -> None:
    while True:
        if condition():
            return
        await asyncio.sleep(0.01)


def followed(api: ScriptedApi, until: Callable[[Reflector], bool]) -> set[str]:
    async def follow() -> set[str]:
        async with api.running(), KubernetesClient(api.url) as client:
            moved = asyncio.Event()
            reflector = Reflector(client, PODS, "shop", changed=moved.set)
            task = asyncio.create_task(reflector.run())
            async with asyncio.timeout(PATIENCE):
                await _holds(lambda: until(reflector))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return set(reflector.objects)

    return asyncio.run(follow())


def test_events_change_the_cache() -> None:
    script: list[list[Document] | int] = [[event("ADDED", "b", 11), event("DELETED", "a", 12)]]
    api = ScriptedApi([[pod("a", 1)]], script)
    assert followed(api, lambda one: "a" not in one.objects and one.synced.is_set()) == {"b"}


def test_a_watch_that_ends_goes_on_from_the_last_version_without_a_list() -> None:
    api = ScriptedApi([[]], [[event("ADDED", "a", 11)], [event("BOOKMARK", "", 40)], []])
    followed(api, lambda _: len(api.watched_from) == 4)
    assert (api.listed, api.watched_from) == (1, ["10", "11", "40", "40"])


def test_gone_as_an_event_lists_again() -> None:
    api = ScriptedApi([[pod("a", 1)], [pod("b", 2)]], [[GONE]])
    assert followed(api, lambda one: "b" in one.objects) == {"b"}


def test_gone_as_a_status_lists_again() -> None:
    api = ScriptedApi([[pod("a", 1)], [pod("b", 2)]], [410])
    assert followed(api, lambda one: "b" in one.objects) == {"b"}
    assert api.listed == 2


def test_a_server_in_trouble_is_asked_again_without_losing_the_cache() -> None:
    api = ScriptedApi([[pod("a", 1)]], [500, [event("ADDED", "b", 11)]])
    assert followed(api, lambda one: "b" in one.objects) == {"a", "b"}
    assert api.listed == 1


def test_a_document_longer_than_any_buffer_is_read() -> None:
    long = event("ADDED", "a", 11)
    long["object"]["metadata"]["annotations"] = {"text": "x" * 700_000}
    assert followed(ScriptedApi([[]], [[long]]), lambda one: "a" in one.objects) == {"a"}
