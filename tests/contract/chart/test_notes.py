"""What the chart tells whoever has just installed it, seen by a trial that keeps nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.chart.rendering import CHART, Helm, Values, example

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.parts.kube_apiserver import KubeApiServer


@pytest.fixture
def notes(helm: Helm, real_api_server: KubeApiServer) -> Callable[[Values], str]:
    """The text after an installation as `night` in the namespace `tools`."""

    def told(values: Values) -> str:
        arguments = ["install", "night", str(CHART), "-n", "tools", "--dry-run=client", "-f", helm.written(values)]
        # Even so it asks for the version of a cluster.
        output = helm.run(*arguments, KUBECONFIG=str(real_api_server.kubeconfig_path))
        return output.partition("\nNOTES:\n")[2]

    return told


def test_the_next_steps_name_this_installation(notes: Callable[[Values], str]) -> None:
    told = notes({**example(), "settings": {"slack_command": "/ship"}})
    assert "kubectl -n tools rollout status deploy/night\n" in told
    assert "kubectl -n tools port-forward deploy/night 8080\n     curl localhost:8080/readyz\n" in told
    assert "/ship plan <service> <version>" in told
    assert "Secrets:\n   sluice-slack, sluice-database.\n" in told
    assert max(len(line) for line in told.splitlines()) <= 110


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "Nobody may start releases yet: name people under `roles`"),
        ({"roles": {"releaser": ["U1"]}}, "Nobody may approve yet: name people under `roles`"),
        ({"slack": {"transport": "http"}}, "arrive once an Ingress of yours leads to Service night, port 80."),
    ],
)
def test_what_is_still_missing_is_said(notes: Callable[[Values], str], values: Values, said: str) -> None:
    assert said in notes(values)
    assert said not in notes(example())
