"""Each shape on API servers: taken as sent through every stage, and back to the letter."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from bot.mesh.choice import choose
from bot.mesh.documents import canonical, full_name
from bot.mesh.virtual_service import capture
from bot.ports import RouteOrder, Written
from strategies.reasons import Refused
from tests.contract.mesh.world import PATHS, WireWorld
from tests.contract.patience import until
from tests.mesh_documents import a_rule, a_subset
from tests.shapes import SHAPES, Shape, orders


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_shape_goes_through_every_stage_and_back_to_the_letter(wire: WireWorld, shape: Shape) -> None:
    wanted = created(wire, shape)
    names = list(dict.fromkeys(f"{wire.namespace}/{order.route.virtual_service}" for order in wanted))
    before = {name: canonical(spec(wire, name)) for name in names}
    last = None
    for revision, split in enumerate(shape.splits(), 2):
        for name in names:
            own = [replace(order, split=split, expected=last, revision=revision) for order in wanted if on(order, name)]
            written = wire.mesh.set_route(name, partial(list, own))
            assert isinstance(written, Written), written
            assert wire.mesh.observe(name, [replace(order, expected=split) for order in own]) is None
        last = split
    for name in names:
        own = [replace(order, expected=last, revision=99, force=True) for order in wanted if on(order, name)]
        wire.mesh.set_route(name, partial(list, own))
        assert canonical(spec(wire, name)) == before[name]
        assert "annotations" not in wire.read("VirtualService", name.partition("/")[2])["metadata"]


def created(wire: WireWorld, shape: Shape) -> list[RouteOrder]:
    """The shape's objects on the server, and the orders for their routes."""
    documents = shape.documents(wire.namespace)
    if all(each["kind"] == "VirtualService" for each in documents):
        documents.append(a_rule(a_subset("v1"), a_subset("v2"), name=shape.service, host=shape.service))
    for document in documents:
        path = PATHS[document["kind"]].format(wire.namespace)
        document["metadata"]["namespace"] = wire.namespace
        wire.cluster.create(path.replace("/v1/", f"/{document['apiVersion'].partition('/')[2]}/"), document)
    services = [each for each in documents if each["kind"] == "VirtualService"]
    rule = f"{wire.namespace}/{shape.service}"
    until(lambda: all(wire.mesh.manifest(full_name(each)) is not None for each in services))
    until(lambda: rule in {full_name(each) for each in wire.mesh._cache.destination_rules()})
    with_subset(wire, shape)
    host = f"{shape.service}.{wire.namespace}.svc.cluster.local"
    places = choose(services, host, shape.named(wire.namespace))
    assert not isinstance(places, Refused), places
    target = shape.target(places, wire.namespace)
    originals: dict[str, str] = {}
    for place in places:
        home = f"{place.route.namespace}/{place.route.virtual_service}"
        captured = capture(next(each for each in services if full_name(each) == home), place.route, target)
        assert isinstance(captured, str), captured
        originals[place.route.key] = captured
    return orders(shape, places, wire.namespace, originals)


def with_subset(wire: WireWorld, shape: Shape) -> None:
    """The candidate's subset, where the shape has none: preparing a release adds it."""
    rule = wire.read("DestinationRule", shape.service)
    if all(each["name"] != shape.candidate for each in rule["spec"]["subsets"]):
        rule["spec"]["subsets"].append(a_subset(shape.candidate))
        kept = wire.cluster.put(f"{PATHS['DestinationRule'].format(wire.namespace)}/{shape.service}", rule)
        version = kept["metadata"]["resourceVersion"]
        cached = wire.mesh._cache.destination_rules
        until(lambda: any(each["metadata"]["resourceVersion"] == version for each in cached()))


def on(order: RouteOrder, name: str) -> bool:
    return f"{order.route.namespace}/{order.route.virtual_service}" == name


def spec(wire: WireWorld, name: str) -> object:
    return wire.read("VirtualService", name.partition("/")[2])["spec"]
