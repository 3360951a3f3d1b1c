import pytest

from bot.sandbox.mesh.routing import DEFAULT_RETRY, Compare, Forward, Part, Redirect, Reply
from bot.sandbox.mesh.virtual_services import full_host, ignored_fields, seconds
from tests.unit.sandbox_mesh.documents import Document, routes, to, virtual_service


def forward(http: Document) -> Forward:
    action = routes(http)[0].action
    assert isinstance(action, Forward)
    return action


def test_weights_and_subsets_are_read_in_their_order() -> None:
    action = forward({"route": [to("v1", 995), to("v2", 5)]})
    assert [(one.cluster.subset, one.weight) for one in action.shares] == [("v1", 995), ("v2", 5)]


def test_routes_keep_the_order_of_the_list() -> None:
    found = routes({"name": "b", "route": [to("v1")]}, {"name": "a", "route": [to("v2")]})
    assert [one.name for one in found] == ["b", "a"]


def test_each_match_block_becomes_a_route() -> None:
    blocks = [{"uri": {"prefix": "/a"}}, {"uri": {"exact": "/b"}}]
    found = routes({"match": blocks, "route": [to("v1")]})
    assert [(one.match.path.compare, one.match.path.value) for one in found] == [
        (Compare.PREFIX, "/a"),
        (Compare.EXACT, "/b"),
    ]


def test_headers_methods_and_queries_become_conditions() -> None:
    block = {
        "method": {"exact": "GET"},
        "headers": {"Cookie": {"regex": ".*beta.*"}},
        "withoutHeaders": {"x-skip": {}},
        "queryParams": {"v": {"exact": "2"}},
    }
    found = routes({"match": [block], "route": [to("v1")]})[0].match.conditions
    assert [(one.part, one.name, one.text.compare, one.inverted) for one in found] == [
        (Part.HEADER, ":method", Compare.EXACT, False),
        (Part.HEADER, "cookie", Compare.REGEX, False),
        (Part.HEADER, "x-skip", Compare.PRESENT, True),
        (Part.QUERY, "v", Compare.EXACT, False),
    ]


def test_a_match_for_other_callers_leaves_no_route() -> None:
    strangers = {"match": [{"sourceLabels": {"app": "robots"}}], "route": [to("v2")]}
    ours = {"match": [{"sourceLabels": {"app": "shoppers"}}], "route": [to("v1")]}
    elsewhere = {"match": [{"gateways": ["edge"]}], "route": [to("v2")]}
    assert len(routes(strangers, elsewhere, ours)) == 1


def test_no_timeout_and_istios_retries_are_the_defaults() -> None:
    action = forward({"route": [to("v1")]})
    assert action.timeout_seconds is None
    assert action.retry == DEFAULT_RETRY


def test_zero_attempts_switch_retries_off() -> None:
    assert forward({"route": [to("v1")], "retries": {"attempts": 0}}).retry is None


def test_status_codes_among_the_retry_conditions_are_set_apart() -> None:
    retry = forward({"route": [to("v1")], "retries": {"attempts": 3, "retryOn": "503, reset"}}).retry
    assert retry is not None
    assert (retry.codes, retry.on) == ((503,), "reset,retriable-status-codes")


@pytest.mark.parametrize(
    ("fields", "percent"),
    [
        ({}, [100]),
        ({"mirrorPercentage": {"value": 12.5}}, [12.5]),
        ({"mirrorPercent": 7}, [7]),
        ({"mirrorPercentage": {"value": 0}}, []),
        ({"mirrorPercentage": {}}, []),
    ],
)
def test_a_mirror_copies_everything_unless_told_how_much(fields: Document, percent: list[float]) -> None:
    action = forward({"route": [to("v1")], "mirror": {"host": "reviews", "subset": "v2"}, **fields})
    assert [one.percent for one in action.mirrors] == percent


def test_mirrored_requests_go_by_a_cluster_of_their_own() -> None:
    mirrors = [{"destination": {"host": "reviews", "subset": "v2"}, "percentage": {"value": 10}}]
    found = forward({"route": [to("v1")], "mirrors": mirrors}).mirrors[0].cluster
    assert str(found) == "mirror|9080|v2|reviews.shop.svc.cluster.local"


@pytest.mark.parametrize(
    ("text", "value"), [("10s", 10), ("250ms", 0.25), ("1m30s", 90), ("1.5s", 1.5), ("2h", 7200), (None, None)]
)
def test_durations_are_read_as_istio_writes_them(text: str | None, value: float | None) -> None:
    assert seconds(text) == value


def test_only_a_host_without_a_dot_is_short() -> None:
    assert full_host("reviews", "shop") == "reviews.shop.svc.cluster.local"
    assert full_host("reviews.shop", "shop") == "reviews.shop"


def test_a_destination_without_a_port_goes_to_the_only_port_of_its_service() -> None:
    named = to("v1") | {"destination": {"host": "reviews", "port": {"number": 8000}}}
    assert forward({"route": [to("v1")]}).shares[0].cluster.port == 9080
    assert forward({"route": [named]}).shares[0].cluster.port == 8000


def test_redirects_and_direct_answers_are_read() -> None:
    redirect = routes({"redirect": {"uri": "/new", "redirectCode": 302}})[0].action
    reply = routes({"directResponse": {"status": 418, "body": {"string": "no"}}})[0].action
    assert (redirect, reply) == (Redirect("/new", None, 302), Reply(418, "no"))


def test_what_is_not_honoured_is_named() -> None:
    tcp = [{"match": [{"port": 9000}], "route": [to("v1")]}, {"match": [{"sourceNamespace": "shop"}]}]
    document = virtual_service({"fault": {"abort": {}}, "route": [to("v1")]}, tcp=tcp, tls=[{}])
    assert ignored_fields(document) == [
        "VirtualService reviews: tls",
        "VirtualService reviews: tcp[1].match without a port alone",
        "VirtualService reviews: http[0].fault",
    ]
