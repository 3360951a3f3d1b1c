"""The stand-in's schemas as a real kube-apiserver publishes them; run as a module it writes the file anew."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.sandbox.kubernetes.kinds import KINDS
from tests.contract.kubernetes.cluster import Cluster
from tests.contract.patience import PATIENCE
from tests.parts.kube_apiserver import running_kube_apiserver

if TYPE_CHECKING:
    from collections.abc import Iterator

REFERENCE = "#/components/schemas/"
SHIPPED = resources.files("bot.sandbox.kubernetes") / "schemas.json"


def shipped() -> dict[str, Any]:
    """The file beside the stand-in."""
    loaded: dict[str, Any] = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return loaded


def published(cluster: Cluster) -> dict[str, Any]:
    """The schemas of the served kinds and all they refer to, without their prose."""
    known: dict[str, Any] = {}
    for path in sorted({_path(kind.group, version) for kind in KINDS for version in kind.versions}):
        known |= _components(cluster, path)
    wanted = [kind.schema for kind in KINDS]
    found: dict[str, Any] = {}
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = _terse(known[name])
            wanted += _references(found[name])
    return dict(sorted(found.items()))


def _components(cluster: Cluster, path: str) -> dict[str, Any]:
    # A definition's schema is published some moments after the definition is established.
    deadline = time.monotonic() + PATIENCE
    while (answer := cluster.ask("GET", f"/openapi/v3{path}")).code != 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    components: dict[str, Any] = answer.body["components"]["schemas"]
    return components


def _path(group: str, version: str) -> str:
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


def _terse(schema: Any) -> Any:
    match schema:
        case dict():
            return {
                key: _terse(value)
                for key, value in schema.items()
                if key != "x-kubernetes-group-version-kind" and not (key == "description" and isinstance(value, str))
            }
        case list():
            return [_terse(each) for each in schema]
        case _:
            return schema


def _references(schema: Any) -> Iterator[str]:
    match schema:
        case {"$ref": str(target)}:
            yield target.removeprefix(REFERENCE)
        case dict():
            for value in schema.values():
                yield from _references(value)
        case list():
            for value in schema:
                yield from _references(value)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, running_kube_apiserver(Path(folder)) as server:
        text = json.dumps(published(Cluster.of(server)), separators=(",", ":"), sort_keys=True)
    Path(str(SHIPPED)).write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
