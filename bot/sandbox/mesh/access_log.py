"""Envoy's access log, read from a pipe line by line."""

import asyncio
import json
import os
from pathlib import Path

from bot.sandbox.cluster.client import Document
from bot.sandbox.mesh.envoy_config import read_workload
from bot.sandbox.mesh.proxy import Hear, Served
from bot.sandbox.mesh.routing import ClusterName


class AccessLog:
    """A named pipe: nothing grows on disk, and each request is heard within Envoy's flush interval."""

    def __init__(self, path: Path, hear: Hear) -> None:
        self.path = path
        self._hear = hear
        self._transport: asyncio.ReadTransport | None = None

    async def open(self) -> None:
        """Make the pipe and listen; before Envoy opens it, which would wait for a reader."""
        self.path.unlink(missing_ok=True)
        os.mkfifo(self.path, 0o600)
        # Opened for writing too, so that the pipe has no end of file while Envoy restarts.
        pipe = os.fdopen(os.open(self.path, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(lambda: _Lines(self._hear), pipe)

    def close(self) -> None:
        """Stop listening and remove the pipe."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        self.path.unlink(missing_ok=True)


class _Lines(asyncio.Protocol):
    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line:
                self._hear(read_served(json.loads(line)))


def read_served(entry: Document) -> Served:
    """One line of the log; absent values are null."""
    cluster = entry.get("cluster")
    workload = entry.get("workload")
    answered = bool(entry.get("upstream_ms"))
    return Served(
        started=float(entry["start"]),
        milliseconds=float(entry["ms"]),
        code=int(entry["code"]),
        flags=entry.get("flags") or "-",
        cluster=ClusterName.parse(cluster) if cluster and cluster.count("|") == 3 else None,
        workload=read_workload(workload) if workload and answered else None,
        authority=entry.get("authority") or "",
    )
