"""The last line of a sidecar's access log, as a further sign of who called a pod last."""

import logging
import re
from collections.abc import Sequence
from typing import Protocol

from bot.errors import Fault, Transient
from bot.mesh.documents import full_name
from bot.mesh.view import View
from bot.mesh.workloads import pods_of
from strategies.release import Release

log = logging.getLogger(__name__)

SIDECAR = "istio-proxy"
PODS = 2  # per version: a sign, not an archive
LONGEST = 160
# Envoy writes its access log between its own lines: as text that begins with a time, or as JSON with this key.
_ACCESS = re.compile(r'\[\d{4}-[^\]]+\] "|.*"response_code"')
# What callers put behind a path may be a secret or a person's name.
_QUERY = re.compile(r"\?[^\s\"]*")


class Logs(Protocol):
    """Reads what containers logged."""

    def tail(self, pod: str, container: str) -> str:
        """The last lines of a container of the pod `namespace/name`."""
        ...


def last_lines(view: View, cluster: Logs, release: Release) -> Sequence[str]:
    """One sentence per pod whose log can be read; a missing right, sidecar or kubelet is no trouble."""
    told: list[str] = []
    for target in release.targets:
        for pod in pods_of(view, target, target.baseline)[:PODS]:
            try:
                line = _last(cluster.tail(full_name(pod), SIDECAR))
            except (Fault, Transient) as problem:
                log.info("release=%s no access log of %s: %s", release.id, full_name(pod), problem)
                return told
            if line:
                told.append(f"Last in the access log of {pod['metadata']['name']}: {_QUERY.sub('?…', line)[:LONGEST]}.")
    return told


def _last(text: str) -> str:
    """The last line of the access log, empty when there is none among these."""
    return next((line for line in reversed(text.splitlines()) if _ACCESS.match(line)), "")
