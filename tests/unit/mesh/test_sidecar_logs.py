"""The last line of a sidecar's access log, without what callers put behind a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import Fault, Transient
from bot.mesh.sidecar_logs import last_lines
from tests.builders import a_release
from tests.fakes_mesh import FakeMesh

if TYPE_CHECKING:
    from collections.abc import Sequence

LINE = '[2026-03-02T09:14:07.123Z] "GET /reviews/7?token=secret HTTP/1.1" 200 - via_upstream - "-" 0 295 12 11 "-"'


class Logs:
    """Answers with one text for every pod, or with trouble."""

    def __init__(self, text: str = "", trouble: Exception | None = None) -> None:
        self._text, self._trouble = text, trouble

    def tail(self, pod: str, container: str) -> str:
        assert (pod.partition("/")[0], container) == ("shop", "istio-proxy")
        if self._trouble is not None:
            raise self._trouble
        return self._text


def told(logs: Logs) -> Sequence[str]:
    return last_lines(FakeMesh.shop(), logs, a_release())


def test_the_last_access_is_told_of_some_pods_and_without_its_query() -> None:
    text = f"{LINE.replace('/7', '/6')}\n{LINE}\n2026-03-02T09:20:00Z info xdsproxy connected to upstream\n"
    found = told(Logs(text))
    assert len(found) == 2
    assert found[0].startswith("Last in the access log of reviews-v1-0: [2026-03-02T09:14:07.123Z]")
    assert '"GET /reviews/7?… HTTP/1.1"' in found[0]
    assert "secret" not in found[0]


def test_a_log_in_json_is_read_too() -> None:
    found = told(Logs('{"path":"/reviews/7?token=secret","response_code":200}\n'))
    assert '"path":"/reviews/7?…","response_code":200' in found[0]


@pytest.mark.parametrize(
    "logs",
    [
        Logs("2026-03-02T09:20:00Z info xdsproxy connected\n"),
        Logs(trouble=Fault("pods/log is forbidden")),
        Logs(trouble=Transient("no answer")),
    ],
)
def test_what_cannot_be_read_is_no_trouble(logs: Logs) -> None:
    assert list(told(logs)) == []
