"""VirtualServices and DestinationRules of the shop with everything in them that their schemas know."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from bot.mesh.documents import canonical
from tests.fuzz.crd import DESTINATION_RULE, VIRTUAL_SERVICE, entry, values
from tests.mesh_documents import Document

shares = st.integers(0, 10_000).map(lambda hundredths: Decimal(hundredths) / 100)
_route = values(entry(VIRTUAL_SERVICE, "http"), depth=2)
_destination = values(entry(VIRTUAL_SERVICE, "http", "route"), depth=4)
_subset = values(entry(DESTINATION_RULE, "subsets"), depth=2)
_annotations = st.dictionaries(st.sampled_from(["a", "kubectl.kubernetes.io/x", "sluice/other"]), st.just("1"))
_hosts = st.sampled_from(["reviews", "reviews.shop.svc.cluster.local"])
# The shares that a route may start from: subset and weight of each destination.
_beginnings: st.SearchStrategy[list[tuple[str, int | None]]] = st.sampled_from(
    [
        [("v1", None)],
        [("v1", 100)],
        [("v1", 100), ("v2", 0)],
        [("v2", None), ("v1", 100)],
        [("v0", 0), ("v1", 100), ("v2", 0)],
    ]
)


def _document(draw: st.DrawFn, kind: str, spec: Document) -> Document:
    metadata: Document = {"name": "reviews", "namespace": "shop"}
    noted = draw(_annotations)
    version = draw(st.sampled_from(["v1", "v1beta1", "v1alpha3"]))
    return {
        "apiVersion": f"networking.istio.io/{version}",
        "kind": kind,
        "metadata": metadata | ({"annotations": noted} if noted else {}),
        "spec": spec,
    }


@st.composite
def virtual_services(draw: st.DrawFn) -> Document:
    """Anything that the schema allows."""
    spec: Document = draw(values(VIRTUAL_SERVICE))
    spec["http"] = draw(st.lists(_route, max_size=3))
    return _document(draw, "VirtualService", spec)


@st.composite
def movable_virtual_services(draw: st.DrawFn) -> Document:
    """A route named `ours` that leads to reviews v1, with all that a route may have, among any others."""
    document = draw(virtual_services())
    ours: Document = draw(_route) | {"name": "ours"}
    for taken in ("delegate", "redirect", "directResponse"):
        ours.pop(taken, None)
    ours["route"] = [draw(_placed(*beginning)) for beginning in draw(_beginnings)]
    routes = document["spec"]["http"]
    routes.insert(draw(st.integers(0, len(routes))), ours)
    return document


@st.composite
def _placed(draw: st.DrawFn, subset: str, weight: int | None) -> Document:
    destination: Document = draw(_destination)
    destination.pop("weight", None)
    destination["destination"] |= {"host": draw(_hosts), "subset": subset}
    return destination if weight is None else destination | {"weight": weight}


@st.composite
def rules(draw: st.DrawFn) -> Document:
    """A DestinationRule of reviews with subset v1 among any others."""
    spec: Document = draw(values(DESTINATION_RULE)) | {"host": draw(_hosts)}
    others = [each for each in draw(st.lists(_subset, max_size=2)) if each["name"] not in ("v1", "v2")]
    others.insert(draw(st.integers(0, len(others))), draw(_subset) | {"name": "v1", "labels": {"version": "v1"}})
    return _document(draw, "DestinationRule", spec | {"subsets": others})


def outside(document: Document) -> str:
    """The document without route `ours`' destinations and without annotations."""
    rest: dict[str, Any] = document | {"metadata": {**document["metadata"], "annotations": None}}
    http = [route | {"route": None} if route.get("name") == "ours" else route for route in document["spec"]["http"]]
    return canonical(rest | {"spec": document["spec"] | {"http": http}})
