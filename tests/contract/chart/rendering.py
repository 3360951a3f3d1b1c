"""The chart as a real Helm renders it, and the README's values for it."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import yaml

from tests.contract.patience import PATIENCE
from tests.unit.deploy.files import ROOT, text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CHART = ROOT / "deploy" / "chart"
Object = dict[str, Any]
Values = dict[str, Any]


def example() -> Values:
    """The values that the README shows."""
    block = re.search(r"```yaml\n\s*# sluice-values.yaml\n(.*?)```", text("README.md"), re.DOTALL)
    assert block is not None
    found: Values = yaml.safe_load(block[1])
    return found


class RefusedByHelm(Exception):
    """Helm ended with an error; the text is what it said."""


@dataclass(frozen=True)
class Helm:
    """The command, with nothing of the user's own configuration, and a folder for values."""

    binary: Path
    folder: Path

    def run(self, *arguments: str, **environment: str) -> str:
        """What it printed; RefusedByHelm when it failed."""
        ran = subprocess.run(
            [str(self.binary), *arguments],
            cwd=ROOT,
            env={"HOME": str(self.folder), **environment},
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        if ran.returncode != 0:
            raise RefusedByHelm(ran.stderr)
        return ran.stdout

    def written(self, values: Values) -> str:
        """A file with these values, as JSON: YAML whose texts all readers agree on."""
        path = self.folder / "values.yaml"
        path.write_text(json.dumps(values), encoding="utf-8")
        return str(path)

    def rendered(
        self, values: Values | None = None, *, name: str = "sluice", namespace: str = "sluice", sets: Sequence[str] = ()
    ) -> Rendered:
        """The objects of an installation."""
        chosen = [part for each in sets for part in ("--set", each)]
        files = ["-f", self.written(values or {}), *chosen]
        output = self.run("template", name, str(CHART), "-n", namespace, *files)
        return Rendered([each for each in yaml.safe_load_all(output) if each])


@dataclass(frozen=True)
class Rendered:
    """The objects of one installation."""

    objects: list[Object]

    def kinds(self) -> list[str]:
        """The kind of each, sorted."""
        return sorted(each["kind"] for each in self.objects)

    def names(self) -> set[tuple[str, str, str]]:
        """What the API server tells the objects apart by."""
        named = [(each["kind"], each["metadata"]) for each in self.objects]
        return {(kind, about.get("namespace", ""), about["name"]) for kind, about in named}

    def one(self, kind: str, name: str = "") -> Object:
        """The one object of a kind, or the one that has this name too."""
        (found,) = (each for each in self.objects if each["kind"] == kind and name in {"", each["metadata"]["name"]})
        return found

    @cached_property
    def deployment(self) -> Object:
        """The spec of the Deployment."""
        found: Object = self.one("Deployment")["spec"]
        return found

    @property
    def pod(self) -> Object:
        """The spec of its pods."""
        found: Object = self.deployment["template"]["spec"]
        return found

    @property
    def container(self) -> Object:
        """The one container."""
        (found,) = self.pod["containers"]
        return dict(found)

    @property
    def environment(self) -> dict[str, Any]:
        """Its variables; one that comes from a Secret is that reference."""
        listed = self.container["env"]
        found = {each["name"]: each.get("value", each.get("valueFrom")) for each in listed}
        assert len(found) == len(listed), "a variable is set twice"
        return found
