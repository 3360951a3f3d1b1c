from bot.sandbox.mesh.envoy_routes import route_configuration
from bot.sandbox.mesh.routing import VirtualHost
from tests.unit.sandbox_mesh.documents import Document, routes, to


def written(http: Document) -> Document:
    found = route_configuration("mesh", (VirtualHost("h", ("reviews",), routes(http)),))
    route: Document = found["virtual_hosts"][0]["routes"][0]
    return route


def clusters(http: Document) -> list[tuple[str, int]]:
    found = written(http)["route"]["weighted_clusters"]["clusters"]
    return [(one["name"].split("|")[2], one["weight"]) for one in found]


def test_weights_of_any_sum_are_passed_on() -> None:
    assert clusters({"route": [to("v1", 995), to("v2", 5)]}) == [("v1", 995), ("v2", 5)]


def test_a_weight_of_zero_is_left_out() -> None:
    assert clusters({"route": [to("v1", 100), to("v2", 0)]}) == [("v1", 100)]


def test_a_single_destination_takes_everything_whatever_its_weight() -> None:
    assert clusters({"route": [to("v1", 0)]}) == [("v1", 1)]
    assert clusters({"route": [to("v1")]}) == [("v1", 1)]


def test_no_timeout_is_written_as_none_at_all() -> None:
    assert written({"route": [to("v1")]})["route"]["timeout"] == "0s"
    assert written({"route": [to("v1")], "timeout": "1.5s"})["route"]["timeout"] == "1.5s"


def test_a_cookie_is_matched_by_regular_expression() -> None:
    block = {"headers": {"cookie": {"regex": "^(.*;)?user=beta(;.*)?$"}}}
    header = written({"match": [block], "route": [to("v1")]})["match"]["headers"][0]
    assert header == {
        "name": "cookie",
        "string_match": {"safe_regex": {"regex": "^(.*;)?user=beta(;.*)?$"}},
    }


def test_a_header_that_must_not_be_there_is_inverted() -> None:
    block = {"withoutHeaders": {"x-a": {"exact": "1"}, "x-b": {}}}
    one, other = written({"match": [block], "route": [to("v1")]})["match"]["headers"]
    assert one["invert_match"] and one["treat_missing_header_as_empty"]
    assert other == {"name": "x-b", "present_match": True, "invert_match": True}


def test_mirrors_carry_their_share_in_millionths() -> None:
    http = {"route": [to("v1")], "mirror": {"host": "reviews"}, "mirrorPercentage": {"value": 0.5}}
    policy = written(http)["route"]["request_mirror_policies"][0]
    assert policy["runtime_fraction"]["default_value"] == {"numerator": 5000, "denominator": "MILLION"}


def test_header_edits_and_rewrites_are_kept() -> None:
    http = {
        "route": [to("v1")],
        "rewrite": {"uri": "/x", "authority": "other"},
        "headers": {"request": {"set": {"a": "1"}, "add": {"b": "2"}, "remove": ["c"]}},
    }
    found = written(http)
    actions = [one["append_action"] for one in found["request_headers_to_add"]]
    assert actions == ["OVERWRITE_IF_EXISTS_OR_ADD", "APPEND_IF_EXISTS_OR_ADD"]
    assert found["request_headers_to_remove"] == ["c"]
    assert (found["route"]["prefix_rewrite"], found["route"]["host_rewrite_literal"]) == ("/x", "other")


def test_case_is_ignored_where_asked() -> None:
    block = {"uri": {"prefix": "/A"}, "ignoreUriCase": True}
    assert written({"match": [block], "route": [to("v1")]})["match"] == {
        "prefix": "/A",
        "case_sensitive": False,
    }
