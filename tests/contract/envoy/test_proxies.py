"""The same probes on real Envoy and on the picker that takes its place."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.sandbox.cluster.pod_process import Knobs
from tests.contract.envoy.api_servers import eventually
from tests.contract.envoy.bench import Bench, bench, run
from tests.contract.patience import PATIENCE
from tests.unit.sandbox_mesh.documents import HOST, to

Story = Callable[[Bench], Coroutine[Any, Any, None]]
Tell = Callable[[Story], None]
V1 = {"name": "main", "route": [to("v1")]}
NEVER = Knobs(delay_ms=60_000)  # no answer before the test is over


@pytest.fixture(params=["envoy", "picker"])
def tell(request: pytest.FixtureRequest, tmp_path: Path) -> Tell:
    def run_on_this_proxy(story: Story) -> None:
        async def whole() -> None:
            async with bench(request.param, tmp_path) as one:
                await story(one)

        run(whole())

    return run_on_this_proxy


def test_weights_share_the_requests(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.route({"route": [to("v1", 800), to("v2", 200)]})
        counts = await one.ask_many(1000)
        # Five and a half standard deviations: once in twenty million runs by chance.
        assert counts["v1"] + counts["v2"] == 1000
        assert abs(counts["v2"] - 200) < 70

    tell(story)


def test_the_first_matching_route_takes_the_request(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        internal = {"match": [{"headers": {"x-user-group": {"exact": "internal"}}}], "route": [to("v2")]}
        await one.route(internal, V1)
        assert (await one.ask(x_user_group="internal")).version == "v2"
        assert (await one.ask(x_user_group="external")).version == "v1"
        assert (await one.ask()).version == "v1"

    tell(story)


def test_cookies_queries_and_methods_choose_the_version(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        cookie = {"headers": {"cookie": {"regex": r"^(.*;\s?)?group=beta(;.*)?$"}}}
        blocks = [cookie, {"queryParams": {"v": {"exact": "2"}}}, {"method": {"exact": "POST"}}]
        await one.route({"match": blocks, "route": [to("v2")]}, V1)
        asked = [
            await one.ask(cookie="user=7; group=beta"),
            await one.ask("/?v=2"),
            await one.ask(method="POST"),
            await one.ask("/?v=3", cookie="group=betamax"),
        ]
        assert [answer.version for answer in asked] == ["v2", "v2", "v2", "v1"]

    tell(story)


def test_a_prefix_is_rewritten_on_the_way(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.route({"match": [{"uri": {"prefix": "/old"}}], "rewrite": {"uri": "/new"}, "route": [to("v1")]})
        assert (await one.ask("/old/7")).path == "/new/7"

    tell(story)


def test_headers_of_the_answer_are_edited(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.route({**V1, "headers": {"response": {"set": {"x-seen": "1"}, "remove": ["x-pod"]}}})
        answer = await one.ask()
        assert answer.headers["x-seen"] == "1"
        assert "x-pod" not in answer.headers

    tell(story)


def test_redirects_and_direct_answers_need_no_pod(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        moved = {"match": [{"uri": {"exact": "/a"}}], "redirect": {"uri": "/b", "redirectCode": 302}}
        await one.route(moved, {"directResponse": {"status": 418, "body": {"string": "no"}}})
        redirect = await one.ask("/a")
        assert (redirect.status, redirect.headers["location"].endswith("/b")) == (302, True)
        assert (await one.ask("/c")).status == 418

    tell(story)


def test_a_mirror_reaches_the_pod_and_not_the_live_counters(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.route({**V1, "mirror": {"host": "reviews", "subset": "v2"}})
        assert await one.ask_many(100) == {"v1": 100}
        assert await one.copied("v2") == 100
        counted = {str(name): number for name, number in (await one.proxy.counters()).by_cluster.items()}
        assert counted[f"outbound|9080|v1|{HOST}"] == 100
        assert counted.get(f"outbound|9080|v2|{HOST}", 0) == 0
        assert counted[f"mirror|9080|v2|{HOST}"] == 100

    tell(story)


def test_a_version_without_ready_pods_fails_at_the_proxy(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.route({"route": [to("v2")]}, without=("v2",))
        assert (await one.ask()).status == 503
        entry = (await one.logged(1))[0]
        assert (entry.code, entry.flags, entry.workload) == (503, "UH", None)
        assert (await one.proxy.counters()).failed == 1

    tell(story)


def test_an_unknown_subset_fails_for_want_of_a_cluster(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.route({"route": [to("v9")]})
        assert (await one.ask()).status == 503
        entry = (await one.logged(1))[0]
        assert (entry.flags, entry.cluster, entry.workload) == ("NC", None, None)

    tell(story)


def test_a_host_nobody_serves_has_no_route(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.route(V1)
        assert (await one.ask(host="elsewhere")).status == 404
        assert (await one.logged(1))[0].flags == "NR"

    tell(story)


def test_a_dead_pod_is_a_failed_connection_to_nobody(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.route({**V1, "retries": {"attempts": 0}})
        await one.pods["v1"].kill()
        assert (await one.ask()).status == 503
        entry = (await one.logged(1))[0]
        assert (entry.flags, entry.workload) == ("UF", None)

    tell(story)


def test_failed_connections_are_tried_again_as_istio_does(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.route(V1)
        await one.pods["v1"].kill()
        await one.ask()
        entry = (await one.logged(1))[0]
        assert set(entry.flags.split(",")) == {"UF", "URX"}

    tell(story)


def test_a_retry_saves_a_request_when_another_pod_lives(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.route({"route": [to()]})
        await one.pods["v2"].kill()
        assert await one.ask_many(100) == {"v1": 100}

    tell(story)


def test_a_slow_version_runs_into_the_timeout(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.pods["v1"].turn(NEVER)
        await one.route({**V1, "timeout": "200ms"})
        assert (await one.ask()).status == 504
        assert (await one.logged(1))[0].flags == "UT"

    tell(story)


def test_a_caller_who_leaves_is_logged_with_code_zero(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.pods["v1"].turn(NEVER)
        await one.route(V1)
        caller = asyncio.create_task(one.ask())
        await one.begun(1)
        caller.cancel()
        entry = (await one.logged(1))[0]
        assert (entry.code, entry.flags) == (0, "DC")

    tell(story)


def test_errors_of_a_version_are_its_own(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.pods["v2"].turn(Knobs(error_rate=1.0))
        await one.route({"route": [to("v2")]})
        assert (await one.ask()).status in {500, 503}
        entry = (await one.logged(1))[0]
        assert entry.workload is not None
        assert (entry.workload.version, entry.flags, entry.failed) == ("v2", "-", True)

    tell(story)


def test_the_log_tells_each_request_once_with_its_version(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.route({"route": [to("v1", 50), to("v2", 50)]})
        counts = await one.ask_many(200)
        log = await one.logged(200)
        seen = [entry.workload.version for entry in log if entry.workload]
        assert {name: seen.count(name) for name in ("v1", "v2")} == counts
        assert len(log) == 200

    tell(story)


def test_the_pods_and_the_proxy_count_the_same(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.route({"route": [to("v1", 50), to("v2", 50)]})
        await one.ask_many(200)
        counted = {name.subset: number for name, number in (await one.proxy.counters()).by_cluster.items()}
        assert counted["v1"] == await one.pod_requests("v1")
        assert counted["v2"] == await one.pod_requests("v2")

    tell(story)


def test_counters_outlive_their_cluster(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.route(V1)
        await one.ask_many(40)
        state = one.state(V1)
        await one.proxy.apply(type(state)(state.hosts, ()))
        counted = {name.subset: number for name, number in (await one.proxy.counters()).by_cluster.items()}
        assert counted["v1"] == 40

    tell(story)


def test_no_request_fails_while_the_weights_change_fifty_times(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.route(V1)
        ended = asyncio.Event()
        statuses: list[int] = []

        async def call() -> None:
            while not ended.is_set():
                statuses.append((await one.ask()).status)

        callers = [asyncio.create_task(call()) for _ in range(8)]

        async def has_answered(number: int) -> bool:
            return len(statuses) >= number

        for number in range(50):
            await one.route({"route": [to("v1", 100 - 2 * number), to("v2", 2 * number)]})
            wanted = len(statuses) + 8
            await eventually(lambda wanted=wanted: has_answered(wanted))  # type: ignore[misc]
        ended.set()
        await asyncio.gather(*callers)
        assert len(statuses) >= 50 * 8
        assert set(statuses) == {200}

    tell(story)


def test_a_pod_that_is_taken_out_first_loses_no_request(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.pods["v2"].turn(Knobs(delay_ms=800))  # less than a pod has for what it owes
        await one.route({"route": [to()]})
        before = one.connections("v2")
        flying = [asyncio.create_task(one.ask()) for _ in range(20)]

        async def are_there() -> bool:
            # They take turns, so v2 has half of them; on a very slow machine the first are back before the last go.
            return one.connections("v2") >= before + 10 or all(each.done() for each in flying)

        await eventually(are_there)
        await one.route({"route": [to()]}, without=("v2",))
        # By this answer it has read what was sent before.
        await one.pod_requests("v2")
        await one.pods["v2"].stop(PATIENCE)
        assert {(await answer).status for answer in flying} == {200}
        assert await one.ask_many(40) == {"v1": 40}

    tell(story)


def test_an_ended_proxy_answers_nobody(tell: Tell) -> None:
    async def story(one: Bench) -> None:
        await one.route(V1)
        await one.proxy.stop()
        with pytest.raises(aiohttp.ClientError):
            await one.ask()

    tell(story)
