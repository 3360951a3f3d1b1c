"""The real parts, each started once, and a world of its own for each story."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.integration.loop_thread import LoopThread
from tests.integration.parts import Parts, Wish, world
from tests.parts.kube_apiserver import running_kube_apiserver
from tests.parts.postgres import running_postgres
from tests.parts.service_account import HOME, ServiceAccount, administrator, apply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.world import World


class Worlds(Protocol):
    """Makes a story's world."""

    def __call__(self, **wish: Any) -> World: ...


@pytest.fixture(scope="session")
def loop() -> Iterator[LoopThread]:
    thread = LoopThread()
    yield thread
    thread.close()


@pytest.fixture(scope="session")
def parts(loop: LoopThread, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    with running_kube_apiserver(tmp_path_factory.mktemp("kube-apiserver")) as api, administrator(api) as admin:
        apply(admin)
        found = Parts(loop, api, ServiceAccount(admin, HOME))
        loop.run(found.prometheus.start())
        yield found
        loop.run(found.prometheus.stop())


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with running_postgres() as url:
        yield url


@pytest.fixture
def worlds(parts: Parts, tmp_path: Path) -> Iterator[Worlds]:
    with ExitStack() as stack:

        def made(**wish: Any) -> World:
            return stack.enter_context(world(parts, tmp_path, Wish(**wish)))

        yield made
