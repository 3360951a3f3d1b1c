"""VirtualServices and DestinationRules in the shapes that teams and guides write them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from bot.ports import RouteOrder
from bot.surveys import NamedRoutes
from strategies.release import Target
from strategies.routing import Match, Mirror, Split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.mesh.places import Place
    from tests.mesh_documents import Document

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Shape:
    """A file, the service in it, its versions, and the routes that move."""

    file: str
    service: str
    routes: tuple[NamedRoutes, ...] = ()
    baseline: str = "v1"
    candidate: str = "v2"
    label: str = "version"
    is_http: bool = True
    has_mirror: bool = False

    def documents(self, namespace: str = "shop") -> list[Document]:
        """The objects, moved to the namespace."""
        text = (FOLDER / f"{self.file}.yaml").read_text(encoding="utf-8")
        text = text.replace(".shop.svc.", f".{namespace}.svc.").replace("namespace: shop", f"namespace: {namespace}")
        return list(yaml.safe_load_all(text))

    def named(self, namespace: str) -> list[NamedRoutes]:
        """The routes by full names."""
        return [replace(each, virtual_service=f"{namespace}/{each.virtual_service}") for each in self.routes]

    def target(self, places: Sequence[Place], namespace: str) -> Target:
        """What a release of the places moves."""
        versions = {each: each for each in (self.baseline, self.candidate)}
        return Target(
            service=self.service,
            host=f"{self.service}.{namespace}.svc.cluster.local",
            namespace=namespace,
            baseline=self.baseline,
            candidate=self.candidate,
            routes=tuple(place.route for place in places),
            subsets=versions,
            version_label=self.label,
        )

    def splits(self) -> list[Split]:
        """A way from the first share to the last, with all that stands beside weights where that is possible."""
        shares = [Split.between(self.baseline, self.candidate, Decimal(each)) for each in ("0.5", "5", "33.33", "100")]
        if not self.is_http:
            return shares
        match = Match("header:x-try", self.candidate, exact="1")
        inside = replace(match, on="cookie:lot", share=Decimal(1))
        beside: dict[str, Any] = {"matches": (match, inside)} if self.file != "cookie_regex" else {"matches": (match,)}
        if not self.has_mirror:
            beside["mirror"] = Mirror(self.candidate, Decimal("2.5"))
        return [replace(shares[0], **beside), *shares]


def orders(shape: Shape, places: Sequence[Place], namespace: str, originals: dict[str, str]) -> list[RouteOrder]:
    """One order per route, without a split yet."""
    target = shape.target(places, namespace)
    return [RouteOrder(f"{shape.service}-1", 1, each, target, None, originals[each.key]) for each in target.routes]


SHAPES = {
    shape.file: shape
    for shape in (
        Shape("percent_on_a_gateway", "greeter"),
        Shape("colours", "checkout", baseline="blue", candidate="green", label="color"),
        Shape("connection_pools", "ledger"),
        Shape("cookie_regex", "profiles", (NamedRoutes("profiles", http=("everybody",)),)),
        Shape("header_matches", "search", (NamedRoutes("search", http=("#0",)),)),
        Shape("mirror_with_percentage", "orders", has_mirror=True),
        Shape("several_mirrors", "events", has_mirror=True),
        Shape("everything_on_a_route", "catalogue", (NamedRoutes("catalogue", http=("api", "rest")),)),
        Shape("delegated", "cart", (NamedRoutes("cart-routes", http=("#0", "#1"), is_delegate=True),)),
        Shape(
            "gateway_and_mesh",
            "account",
            (NamedRoutes("account", http=("#0",)), NamedRoutes("account-edge", http=("main",))),
        ),
        Shape("tcp", "echo", (NamedRoutes("echo", tcp=("#0", "#1")),), is_http=False),
        Shape("tls", "vault", (NamedRoutes("vault", http=("#0",), tls=("#0",)),), is_http=False),
    )
}
