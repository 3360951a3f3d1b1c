"""Orders for documents of the shop."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bot.mesh.virtual_service import capture
from bot.ports import RouteOrder
from strategies.release import Target
from strategies.routing import Protocol, Route, Split

if TYPE_CHECKING:
    from tests.mesh_documents import Document

FIVE = Split.between("v1", "v2", Decimal(5))


def the_target(name: str = "main", **changes: Any) -> Target:
    """reviews in shop, v1 to v2, on one route of VirtualService reviews."""
    settled: dict[str, Any] = {
        "service": "reviews",
        "host": "reviews.shop.svc.cluster.local",
        "namespace": "shop",
        "baseline": "v1",
        "candidate": "v2",
        "routes": (Route("shop", "reviews", Protocol.HTTP, name),),
        "subsets": {"v1": "v1", "v2": "v2"},
    }
    return Target(**(settled | changes))


def an_order(document: Document, split: Split | None = FIVE, name: str = "main", **changes: Any) -> RouteOrder:
    """An order with the originals as the document has them now."""
    target = changes.pop("target", the_target(name))
    original = capture(document, target.routes[0], target)
    assert isinstance(original, str), original
    settled: dict[str, Any] = {
        "release": "reviews-1",
        "revision": 2,
        "original": original,
    } | changes
    return RouteOrder(route=target.routes[0], target=target, split=split, **settled)


def back(order: RouteOrder) -> RouteOrder:
    """The rollback of an order."""
    return RouteOrder(
        order.release,
        order.revision + 1,
        order.route,
        order.target,
        None,
        order.original,
        order.split,
        force=True,
    )
