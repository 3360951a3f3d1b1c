"""A real etcd on loopback, without fsync, for the API server under test."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.parts import loopback
from tests.parts.processes import PartMissingError, free_ports, running

if TYPE_CHECKING:
    from collections.abc import Iterator


def etcd_binary() -> Path:
    """KUBEBUILDER_ASSETS first, then PATH."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and (bundled := Path(assets) / "etcd").is_file():
        return bundled
    found = shutil.which("etcd")
    if found is None:
        raise PartMissingError("etcd is missing: install etcd-server or set KUBEBUILDER_ASSETS")
    return Path(found)


@contextlib.contextmanager
def running_etcd(folder: Path) -> Iterator[str]:
    """Yield the client URL of an empty etcd that keeps its data in `folder`."""
    client, peer = (f"http://127.0.0.1:{port}" for port in free_ports(2))
    command = [
        str(etcd_binary()),
        f"--data-dir={folder / 'etcd-data'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]

    def ready() -> bool:
        try:
            return bool(loopback.get(f"{client}/health", timeout=10).json()["health"] == "true")
        except (httpx.TransportError, ValueError, KeyError):
            return False

    with running(command, log=folder / "etcd.log", ready=ready):
        yield client
