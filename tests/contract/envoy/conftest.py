"""The two API servers the mesh has to work against: the sandbox's own and a real one."""

from collections.abc import Iterator

import pytest

from tests.contract.envoy.api_servers import ApiServer, RealServer, StandIn
from tests.parts.kube_apiserver import running_kube_apiserver


@pytest.fixture(scope="session")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    with running_kube_apiserver(tmp_path_factory.mktemp("kube-apiserver")) as server:
        yield RealServer(server.url, server.token, server.ca_path)


@pytest.fixture(params=["stand_in", "real"])
def api(request: pytest.FixtureRequest) -> ApiServer:
    if request.param == "stand_in":
        return StandIn()
    real: RealServer = request.getfixturevalue("real_server")
    return real
