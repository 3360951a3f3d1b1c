"""`sluice adopt` on both API servers: shows, does with --yes, takes back with --undo, and refuses by name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from bot.cli import app, cluster
from tests.contract.patience import PATIENCE
from tests.unit.bot.house import open_database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    from tests.contract.mesh.world import WireWorld


@pytest.fixture
def adopt(wire: WireWorld, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command against this world, whose route names no subset."""
    wire.edit(lambda document: document["spec"]["http"][0]["route"][0]["destination"].pop("subset"))
    monkeypatch.setenv("SLUICE_KUBECONFIG", str(wire.kubeconfig))
    monkeypatch.setenv("SLUICE_NAMESPACES", wire.namespace)
    monkeypatch.setenv("SLUICE_PROPAGATION", "0s")
    monkeypatch.setattr(cluster, "PATIENCE", PATIENCE)
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
    assert "SLUICE_DATABASE is not set: this is not journalled." in done.stderr
    assert destination(wire) == {"host": "reviews", "subset": "v1"}
    assert adopt("--undo", "--yes").exit_code == 0
    assert destination(wire) == {"host": "reviews"}


def test_a_refusal_exits_with_its_code_and_reason(adopt: Callable[..., Result]) -> None:
    refused = adopt("--format", "json")
    assert (refused.exit_code, json.loads(refused.stdout)["reason_code"]) == (3, "UNKNOWN_VERSION")


def test_with_a_database_it_is_journalled_before_and_after(
    adopt: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_database(tmp_path) as database:
        monkeypatch.setenv("SLUICE_DATABASE", f"sqlite:///{tmp_path / 'sluice.db'}")
        assert adopt("v1", "--yes").exit_code == 0
        with database.reading() as tx:
            entries = tx.journal.of("adopt:reviews")
    assert [entry.event for entry in entries] == ["AdoptionRequested", "AdoptionDone"]
    assert entries[0].actor_name.endswith(" (sluice adopt)")
    assert entries[1].text.endswith("was changed.")


def test_a_database_that_cannot_be_opened_changes_nothing(
    wire: WireWorld, adopt: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_DATABASE", f"sqlite:///{tmp_path / 'empty.db'}")
    told = adopt("v1", "--yes")
    assert (told.exit_code, destination(wire)) == (5, {"host": "reviews"})
    assert "nothing could be journalled" in told.stderr
