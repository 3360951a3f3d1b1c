"""The chart's templates without Helm: control lines taken out, values left open, both branches kept."""

import re
from typing import Any

import yaml

from tests.unit.deploy.files import ROOT, text

TEMPLATES = ROOT / "deploy" / "chart" / "templates"
_CONTROL = re.compile(r"^\s*\{\{-? .*\}\}$")
_INLINE = re.compile(r"\{\{.*?\}\}")


def values() -> dict[str, Any]:
    """The chart's defaults."""
    found: dict[str, Any] = yaml.safe_load(text("deploy/chart/values.yaml"))
    return found


def templates() -> dict[str, str]:
    """The templates that become objects, by name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(TEMPLATES.glob("*.yaml"))}


def skeleton(template: str) -> list[dict[str, Any]]:
    """The objects of a template; what a value gives is the text `open`."""
    lines = [line for line in template.splitlines() if not _CONTROL.match(line)]
    return [each for each in yaml.safe_load_all(_INLINE.sub("open", "\n".join(lines))) if each]


def references() -> set[str]:
    """Every value that a template asks for, as a dotted path."""
    return {path for template in templates().values() for path in re.findall(r"\.Values\.([\w.]+)", template)}


def pod() -> dict[str, Any]:
    """The pod of the Deployment."""
    (deployment,) = skeleton(templates()["deployment.yaml"])
    found: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return found
