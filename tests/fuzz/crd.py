"""Documents generated from the schemas that a real API server publishes for Istio's CRDs."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from hypothesis import strategies as st

from tests.mesh_documents import Document

Schema = Mapping[str, Any]
SCHEMAS: Mapping[str, Schema] = json.loads((files("bot.sandbox.kubernetes") / "schemas.json").read_text("utf-8"))
VIRTUAL_SERVICE: Schema = SCHEMAS["io.istio.networking.v1.VirtualService"]["properties"]["spec"]
DESTINATION_RULE: Schema = SCHEMAS["io.istio.networking.v1.DestinationRule"]["properties"]["spec"]
MOST_OPTIONAL = 3
DEEPEST = 7
# Names that mean something to the editors, so that generated documents come near what they look for.
_NAMED = {
    "host": ["reviews", "reviews.shop.svc.cluster.local", "reviews.shop", "reviews.other", "ratings", "review", "*"],
    "subset": ["v1", "v2", "v0", "v1-old", ""],
    "name": ["main", "beta", "v1", "v2", "v0", ""],
    "version": ["v1", "v2", "v0"],
}
_WORDS = ["", "a", "10s", "/reviews", "ü🟥", "v1", "reviews", "true", "0", "{}"]


def values(schema: Schema, name: str = "", depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that the schema allows; `name` is the field's."""
    if "enum" in schema:
        return st.sampled_from(list(schema["enum"]))
    match schema.get("type"):
        case "object":
            return _objects(schema, depth)
        case "array":
            inner = values(schema.get("items", {}), name, depth + 1)
            return st.lists(inner, max_size=2 if depth < DEEPEST else 0)
        case "string":
            return st.sampled_from(_NAMED.get(name, _WORDS))
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(int(schema.get("minimum", 0)), min(int(schema.get("maximum", 200)), 10_000))
        case "number":
            return st.floats(0, 100).map(lambda number: round(number, 3))
        case _:
            return st.sampled_from(["1", 1])


def entry(schema: Schema, *path: str) -> Schema:
    """The schema of one field further down; a list is entered."""
    for name in path:
        schema = schema["properties"][name]
        schema = schema.get("items", schema)
    return schema


@st.composite
def _objects(draw: st.DrawFn, schema: Schema, depth: int) -> Document:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    if not properties:
        extra = schema.get("additionalProperties")
        keys = st.sampled_from(["a", "b", "version", "x-user"])
        return draw(st.dictionaries(keys, values(extra, "", depth + 1), max_size=2)) if extra else {}
    chosen = set(schema.get("required", ()))
    if depth < DEEPEST:
        chosen |= set(draw(st.lists(st.sampled_from(sorted(properties)), unique=True, max_size=MOST_OPTIONAL)))
    for group in _exclusive(schema):
        # Kubernetes lets at most one of these stand.
        chosen -= set(sorted(chosen & group)[1:])
    return {name: draw(values(properties[name], name, depth + 1)) for name in sorted(chosen)}


def _exclusive(schema: Schema) -> list[set[str]]:
    choices = [schema, *schema.get("allOf", ())]
    groups = [[each.get("required", []) for each in choice.get("oneOf", ())] for choice in choices]
    return [{name for names in group for name in names} for group in groups if group]
