"""Manifests in the shapes that teams have, and the command run over them."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from bot.cli import app

MANIFESTS = Path(__file__).parent / "manifests"
RULE = MANIFESTS / "rule.yaml"
STRATEGIES = ("canary", "phased", "blue-green", "shadow", "ab")


@dataclass(frozen=True)
class Shape:
    """A file, the service in it, its versions, and the words that name one route."""

    file: str
    service: str
    baseline: str = "v1"
    candidate: str = "v2"
    more: tuple[str, ...] = ()
    touched: frozenset[str] = frozenset()  # lines that any edit has to change

    @property
    def path(self) -> Path:
        return MANIFESTS / self.file

    @property
    def words(self) -> tuple[str, ...]:
        """The command's words for the file where it lies."""
        versions = ("--baseline", self.baseline, "--candidate", self.candidate)
        return ("--file", str(self.path), "--service", self.service, *versions, *self.more)


# A list inside brackets grows on its line, and the last line of a file gets an end when one comes under it.
ONE_LINE = frozenset({"- route: [{destination: {host: reviews, subset: v1}}] # all", "timeout: 5s"})
MESH_AND_GATEWAY = ("--route", "reviews/main", "--route", "reviews-gateway/main")
SHAPES = {
    "header before default": Shape("header_before_default.yaml", "reviews", more=("--route", "everybody")),
    "colours": Shape("colours.yaml", "checkout", "blue", "green", touched=frozenset({"weight: 100", "weight: 0"})),
    "whole shop": Shape("whole_shop.yaml", "ratings", more=("--route", "#1")),
    "cookie route": Shape("whole_shop.yaml", "ratings", more=("--route", "beta")),
    "json list": Shape("from_the_cluster.json", "reviews", more=("--namespace", "shop"), touched=frozenset({"}", "]"})),
    "mesh and gateway": Shape("mesh_and_gateway.yaml", "reviews", more=MESH_AND_GATEWAY),
    "windows": Shape("windows.yaml", "reviews", touched=ONE_LINE),
    "rule beside": Shape("windows.yaml", "reviews", more=("--destination-rule", str(RULE)), touched=ONE_LINE),
}
REVIEWS = SHAPES["windows"]
BY_STRATEGY = {"ab": ("--match", "header:x-beta=1"), "canary": ("--match", "header:x-beta=1", "--mirror", "20")}


def copied(shape: Shape, folder: Path) -> tuple[str, ...]:
    """The command's words for copies of the shape's files in the folder."""
    return tuple(
        str(shutil.copy(word, str(folder))) if word in {str(shape.path), str(RULE)} else word for word in shape.words
    )


def run(*words: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["plan", *words], input=stdin, env={"COLUMNS": "200"})


def planned(*words: str) -> dict[str, Any]:
    """The JSON of a plan that must not be refused."""
    result = run(*words, "--format", "json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def refused(*words: str) -> tuple[str, str]:
    """(reason code, text) of a plan that must be refused."""
    result = run(*words, "--format", "json")
    assert result.exit_code == 3, result.output
    found = json.loads(result.stdout)
    assert found["stages"] == []
    return found["refused"]["reason_code"], found["refused"]["text"]


def patched(before: str, diff: str) -> str:
    """The text after its unified diff."""
    old = re.findall(r"[^\n]*\n|[^\n]+", before)
    new: list[str] = []
    at, last = 0, ""
    for line in re.findall(r"[^\n]*\n", diff):
        if hunk := re.match(r"@@ -(\d+)(,0)?", line):
            start = int(hunk[1]) - (0 if hunk[2] else 1)
            new += old[at:start]
            at = start
        elif line.startswith("\\") and last != "-":
            new[-1] = new[-1].removesuffix("\n")
        elif line[0] in "+ " and not line.startswith("+++"):
            new.append(line[1:])
        at += line[0] in "- " and not line.startswith("---")
        last = line[0]
    return "".join([*new, *old[at:]])
