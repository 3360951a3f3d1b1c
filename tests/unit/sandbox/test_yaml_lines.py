"""The route as YAML: what changed is marked, what the server keeps for itself is not shown."""

from bot.sandbox.cluster.client import VIRTUAL_SERVICES, Document
from bot.sandbox.cluster.shop import shop_objects
from bot.sandbox.page.yaml_lines import marked, text


def route(**metadata: object) -> Document:
    document = next(body for resource, body in shop_objects("shop") if resource is VIRTUAL_SERVICES)
    return {**document, "metadata": {"name": "reviews", **metadata}}


def test_an_untouched_route_has_no_marked_line() -> None:
    assert {sign for sign, _ in marked(text(route()), text(route()))} == {" "}


def test_what_the_api_server_keeps_for_itself_is_not_shown() -> None:
    kept = route(resourceVersion="7", uid="u", managedFields=[{}], generation=2, creationTimestamp="now")
    assert text(kept) == text(route())


def test_added_and_removed_lines_carry_their_sign() -> None:
    changed = route()
    changed["spec"]["http"][1]["timeout"] = "9s"
    signs = [(sign, line.strip()) for sign, line in marked(text(route()), text(changed)) if sign != " "]
    assert signs == [("-", "timeout: 10s"), ("+", "timeout: 9s")]


def test_a_route_that_was_deleted_has_no_line_left() -> None:
    assert {sign for sign, _ in marked(text(route()), text({}))} == {"-"}
