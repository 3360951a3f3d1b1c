"""`sluice adopt` on both API servers: shows, does with --yes, takes back with --undo, and refuses by name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from bot.cli import app

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

    from tests.contract.mesh.world import WireWorld


@pytest.fixture
def adopt(wire: WireWorld, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command against this world, whose route names no subset."""
    wire.edit(lambda document: document["spec"]["http"][0]["route"][0]["destination"].pop("subset"))
    monkeypatch.setenv("SLUICE_KUBECONFIG", str(wire.kubeconfig))
    monkeypatch.setenv("SLUICE_NAMESPACES", wire.namespace)
    monkeypatch.setenv("SLUICE_PROPAGATION", "0s")
    return lambda *words: CliRunner().invoke(app, ["adopt", "reviews", *words])


def destination(wire: WireWorld) -> dict[str, str]:
    found: dict[str, str] = wire.read("VirtualService")["spec"]["http"][0]["route"][0]["destination"]
    return found


def test_without_yes_the_changes_are_only_shown(wire: WireWorld, adopt: Callable[..., Result]) -> None:
    shown = adopt("v1")
    assert (shown.exit_code, destination(wire)) == (0, {"host": "reviews"})
    assert "+        subset: v1" in shown.output
    assert "Nothing was changed; --yes does it." in shown.output


def test_with_yes_it_is_done_and_undo_takes_it_back(wire: WireWorld, adopt: Callable[..., Result]) -> None:
    done = adopt("v1", "--yes", "--format", "json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["objects"] == [f"VirtualService {wire.namespace}/reviews"]
    assert destination(wire) == {"host": "reviews", "subset": "v1"}
    assert adopt("--undo", "--yes").exit_code == 0
    assert destination(wire) == {"host": "reviews"}


def test_a_refusal_exits_with_its_code_and_reason(adopt: Callable[..., Result]) -> None:
    refused = adopt("--format", "json")
    assert (refused.exit_code, json.loads(refused.stdout)["reason_code"]) == (3, "UNKNOWN_VERSION")
