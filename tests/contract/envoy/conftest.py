"""The two API servers the mesh has to work against: the sandbox's own and a real one."""

import pytest

from tests.contract.envoy.api_servers import ApiServer, RealServer, StandIn
from tests.parts.kube_apiserver import KubeApiServer


@pytest.fixture(scope="session")
def real_server(real_api_server: KubeApiServer) -> RealServer:
    return RealServer(real_api_server.url, real_api_server.token, real_api_server.ca_path)


@pytest.fixture(params=["stand_in", "real"])
def api(request: pytest.FixtureRequest) -> ApiServer:
    if request.param == "stand_in":
        return StandIn()
    real: RealServer = request.getfixturevalue("real_server")
    return real
