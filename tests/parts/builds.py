"""Builds the parts that are compiled and that some tiers need: `python -m tests.parts.builds contract integration`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.parts.helm_build import helm_binary
from tests.parts.install import NEEDED
from tests.parts.istio_definitions import istio_definitions
from tests.parts.kube_apiserver_build import kube_apiserver_binary
from tests.parts.processes import PartFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

# The API server is the longest by far; what it compiles helm finds in Go's cache.
BUILDS: Mapping[str, Sequence[Callable[[], Path]]] = {
    "apiserver": (kube_apiserver_binary, istio_definitions),
    "helm": (helm_binary,),
}


def main(tiers: Sequence[str]) -> int:
    """Prints the path of each."""
    needed = {part for tier in tiers for part in NEEDED.get(tier, ())}
    try:
        for part, makers in BUILDS.items():
            for make in makers if part in needed else ():
                print(make())
    except PartFailedError as failed:
        print(failed, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
