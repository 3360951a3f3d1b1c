"""What Envoy alone does: refusals, and its own process."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.sandbox.mesh.connections import Connections
from bot.sandbox.mesh.envoy_proxy import EnvoyProxy, EnvoyStartError
from bot.sandbox.mesh.proxies import build_proxy, envoy_binary
from bot.sandbox.mesh.proxy import Refusal
from bot.sandbox.mesh.scrape import active_requests
from tests.contract.envoy.api_servers import eventually
from tests.contract.envoy.bench import Bench, bench, run
from tests.contract.patience import until
from tests.unit.sandbox_mesh.documents import HOST, mesh, pod, rule, service, to, virtual_service

PORT = 9000
V1 = {"name": "main", "route": [to("v1")]}
BROKEN = {"match": [{"uri": {"regex": "("}}], "route": [to("v2")]}


def test_a_broken_route_is_refused_and_the_old_one_serves_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with bench("envoy", tmp_path) as one:
            await one.route(V1)
            with pytest.raises(Refusal, match="missing"):
                await one.route(BROKEN)
            assert (await one.ask()).version == "v1"
            await one.route({"route": [to("v2")]})
            assert (await one.ask()).version == "v2"

    run(story())


def test_weights_that_are_all_zero_are_refused(tmp_path: Path) -> None:
    async def story() -> None:
        async with bench("envoy", tmp_path) as one:
            await one.route(V1)
            with pytest.raises(Refusal):
                await one.route({"route": [to("v1", 0), to("v2", 0)]})
            assert (await one.ask()).version == "v1"

    run(story())


def test_a_binary_that_does_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    broken = tmp_path / "envoy"
    broken.write_text("#!/bin/sh\necho out of order >&2\nexit 3\n")
    broken.chmod(0o755)

    async def story() -> None:
        proxy = EnvoyProxy(broken, tmp_path / "run", hear=lambda _: None)
        with pytest.raises(EnvoyStartError, match="ended with 3: out of order"):
            await proxy.start()
        await proxy.stop()

    run(story())


def test_envoy_is_chosen_where_its_wheel_is_and_says_no_excuse(tmp_path: Path) -> None:
    assert envoy_binary() is not None
    assert build_proxy(tmp_path, lambda _: None).stand_in_reason is None


def test_without_a_wheel_the_picker_serves_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "envoy", None)
    reason = build_proxy(tmp_path, lambda _: None).stand_in_reason
    assert reason is not None and reason.startswith("there is no Envoy wheel for")


def test_nothing_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys; from pathlib import Path; from tests.contract.envoy.bench import bench\n"
        "async def main():\n"
        "    async with bench('envoy', Path(sys.argv[1])) as one:\n"
        "        print(one.proxy.pid, *(pod.pid for pod in one.pods.values()), flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        children = [int(one) for one in parent.stdout.readline().split()]
        parent.send_signal(signal.SIGKILL)
    assert len(children) == 3
    until(lambda: not any(_lives(one) for one in children))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    # One that has ended but was not collected yet by its new parent is gone for us.
    return state != "Z"


def test_the_admin_interface_shows_the_bench(tmp_path: Path) -> None:
    async def story() -> None:
        async with bench("envoy", tmp_path) as one:
            await one.route(V1)
            await one.ask()
            assert await _admin_says(one, "upstream_rq_total: 1")

    run(story())


async def _admin_says(one: Bench, text: str) -> bool:
    async with one.session.get(f"{one.proxy.admin_url}/stats") as answer:
        return text in await answer.text()


def test_connections_are_shared_by_weight_and_none_is_lost_when_the_weights_change(tmp_path: Path) -> None:
    async def story(one: Bench) -> None:
        async def move(share: int) -> None:
            tcp = [{"match": [{"port": PORT}], "route": [to("v1", 100 - share), to("v2", share)]}]
            owner = virtual_service({"route": [to("v1")]}, tcp=tcp)
            pods = [pod("a", version, port=process.port) for version, process in one.pods.items()]
            await one.proxy.apply(
                mesh(*pods, services=[service("reviews", 9080, PORT)], rules=[rule("v1", "v2")], owners=[owner])
            )

        await move(30)
        address = one.proxy.tcp_address(PORT)
        assert address is not None and one.proxy.tcp_address(9080) is None
        callers = Connections(*address, rate=400)
        await callers.start()
        shared = await opened_more(one, {}, 250)
        await move(100)
        # The worker that takes connections may be a few behind what its Envoy has accepted.
        before = await opened_more(one, await opened(one), 20)
        after = await opened_more(one, before, 50)
        await callers.stop()
        assert callers.failed == 0
        # Outside of this once in 20 million runs by chance: 5.2 standard deviations of 250 connections.
        assert abs(shared["v2"] / sum(shared.values()) - 0.3) < 0.15
        assert after["v1"] == before["v1"]

    async def whole() -> None:
        async with bench("envoy", tmp_path) as one:
            await story(one)

    run(whole())


async def opened(one: Bench) -> dict[str, int]:
    """Connections to the tcp port by subset."""
    counted = (await one.proxy.counters()).connections
    return {name.subset: number for name, number in counted.items() if name.port == PORT and name.subset}


async def opened_more(one: Bench, before: dict[str, int], number: int) -> dict[str, int]:
    """The same, once there are so many more than before."""

    async def are_there() -> bool:
        return sum((await opened(one)).values()) >= sum(before.values()) + number

    await eventually(are_there)
    return await opened(one)


def test_requests_under_way_are_told_until_they_end(tmp_path: Path) -> None:
    async def whole() -> None:
        async with bench("envoy", tmp_path) as one:
            await one.route({"route": [to("v1")]})
            slow = asyncio.create_task(one.ask("/report?take_ms=2000"))

            async def is_told(number: int) -> bool:
                told = active_requests(await one.proxy.under_way())
                return f'{{cluster_name="outbound|9080|v1|{HOST}"}} {number}' in told

            await eventually(lambda: is_told(1))
            assert (await slow).version == "v1"
            await eventually(lambda: is_told(0))
            assert set((await one.proxy.under_way()).values()) == {0}

    run(whole())
