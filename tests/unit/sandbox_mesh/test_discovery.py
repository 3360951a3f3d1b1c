from bot.sandbox.mesh.routing import ClusterName, Forward, MeshState
from tests.unit.sandbox_mesh.documents import CALLER, GATEWAY, HOST, mesh, pod, rule, service, to, virtual_service


def pods_of(state: MeshState, subset: str, *, is_mirror: bool = False) -> list[str]:
    name = ClusterName(9080, subset, HOST, is_mirror)
    found = next(one for one in state.clusters if one.name == name)
    return [one.pod.rpartition("-")[2] for one in found.endpoints]


def test_a_subset_reaches_the_pods_with_its_labels() -> None:
    state = mesh(pod("a", "v1"), pod("b", "v2"), rules=[rule("v1", "v2")])
    assert (pods_of(state, "v1"), pods_of(state, "v2")) == (["a"], ["b"])


def test_no_subset_reaches_all_pods_of_the_host() -> None:
    assert pods_of(mesh(pod("a", "v1"), pod("b", "v2")), "") == ["a", "b"]


def test_pods_that_are_not_ready_or_leaving_get_no_requests() -> None:
    leaving = pod("c", "v1", deletionTimestamp="2026-01-01T00:00:00Z")
    state = mesh(pod("a", "v1", ready=False), pod("b", "v1", port=None), leaving, pod("d", "v1"))
    assert pods_of(state, "") == ["d"]


def test_an_unknown_subset_has_no_cluster() -> None:
    state = mesh(pod("a", "v1"), rules=[rule("v1")], owners=[virtual_service({"route": [to("v9")]})])
    assert {one.name.subset for one in state.clusters} == {"", "v1"}


def test_a_mirror_gets_a_twin_with_the_same_pods() -> None:
    owner = virtual_service({"route": [to("v1")], "mirror": {"host": "reviews", "subset": "v2"}})
    state = mesh(pod("a", "v1"), pod("b", "v2"), rules=[rule("v1", "v2")], owners=[owner])
    assert pods_of(state, "v2", is_mirror=True) == ["b"]


def test_the_older_of_two_virtual_services_owns_the_host() -> None:
    young = virtual_service({"name": "young", "route": [to()]}, name="a", created="2026-02-02T00:00:00Z")
    old = virtual_service({"name": "old", "route": [to()]}, name="z", created="2026-01-01T00:00:00Z")
    assert mesh(owners=[young, old]).hosts[0].routes[0].name == "old"


def test_a_virtual_service_for_a_gateway_alone_does_not_bind_callers_inside() -> None:
    edge = virtual_service({"name": "edge", "route": [to("v2")]}, gateways=["edge"])
    assert mesh(owners=[edge]).hosts[0].routes[0].name == "default"


def test_a_service_without_a_virtual_service_is_reached_whole() -> None:
    action = mesh().hosts[0].routes[0].action
    assert isinstance(action, Forward)
    assert str(action.shares[0].cluster) == f"outbound|9080||{HOST}"


def test_only_the_first_port_answers_to_the_bare_name() -> None:
    first, second = mesh(services=[service("reviews", 80, 81)]).hosts
    assert "reviews" in first.domains and "reviews:80" in first.domains
    assert second.domains[0] == "reviews:81" and "reviews" not in second.domains


def test_an_endpoint_knows_its_workload() -> None:
    state = mesh(pod("a", "v1"))
    workload = state.clusters[0].endpoints[0].workload
    assert (workload.name, workload.app, workload.version) == ("reviews-v1", "reviews", "v1")


def test_a_service_without_a_selector_has_no_endpoints() -> None:
    bare = service()
    del bare["spec"]["selector"]
    assert pods_of(mesh(pod("a", "v1"), services=[bare]), "") == []


def test_a_gateway_serves_the_hosts_of_its_own_virtual_services_and_nothing_else() -> None:
    edge = virtual_service({"name": "edge", "route": [to("v2")]}, name="edge", gateways=["edge"])
    edge["spec"]["hosts"] = ["reviews.example.com"]
    inside = virtual_service({"name": "inside", "route": [to("v1")]})
    [host] = mesh(owners=[inside, edge], caller=GATEWAY).hosts
    assert host.domains == ("reviews.example.com", "reviews.example.com:*")
    assert [route.name for route in host.routes] == ["edge"]


def test_a_match_that_names_the_mesh_is_not_for_the_gateway() -> None:
    blocks = [{"gateways": ["mesh"], "uri": {"exact": "/a"}}, {"gateways": ["edge"], "uri": {"exact": "/b"}}]
    owner = virtual_service({"match": blocks, "route": [to()]}, gateways=["mesh", "edge"])
    paths = {
        caller.is_gateway: [route.match.path.value for route in mesh(owners=[owner], caller=caller).hosts[0].routes]
        for caller in (CALLER, GATEWAY)
    }
    assert paths == {False: ["/a"], True: ["/b"]}


def test_the_first_tcp_route_of_a_port_takes_its_connections() -> None:
    tcp = [
        {"match": [{"port": 9000}], "route": [to("v1", 70), to("v2", 30)]},
        {"match": [{"port": 9000}, {"port": 7000}], "route": [to("v2")]},
    ]
    state = mesh(services=[service("reviews", 9080, 9000)], owners=[virtual_service({"route": [to()]}, tcp=tcp)])
    [route] = state.tcp
    assert (route.port, [(str(one.cluster), one.weight) for one in route.shares]) == (
        9000,
        [(f"outbound|9000|v1|{HOST}", 70), (f"outbound|9000|v2|{HOST}", 30)],
    )
