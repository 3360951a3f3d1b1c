"""Istio's CustomResourceDefinitions, out of the Go module that go.sum names, kept in the cache of the tests."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import zipfile
from pathlib import Path

import httpx

from tests.parts.cache import beside, cache_folder, key, locked
from tests.parts.go import has_go
from tests.parts.kube_apiserver_build import MODULE, go
from tests.parts.processes import PartFailedError

PROXY = "https://proxy.golang.org"
NAME = "istio.io/api"
FILE = "kubernetes/customresourcedefinitions.gen.yaml"
SECONDS = 60


def istio_definitions() -> Path:
    """The file in the cache; what lies there and is not whole is fetched anew."""
    copy = cache_folder() / f"istio-crds-{key(MODULE / 'go.mod')}.yaml"
    with locked(copy):
        if not _is_whole(copy):
            part = beside(copy)
            part.write_bytes(_sealed(_from_go() if has_go() else from_proxy()))
            part.replace(copy)
    return copy


def _sealed(content: bytes) -> bytes:
    """YAML whose last line tells whether the rest is whole."""
    content = content.rstrip() + b"\n"
    return content + f"# sha256:{hashlib.sha256(content).hexdigest()}\n".encode()


def _is_whole(copy: Path) -> bool:
    if not copy.is_file():
        return False
    content, _, _ = copy.read_bytes().rpartition(b"# sha256:")
    return copy.read_bytes() == _sealed(content) and bool(content)


def _from_go() -> bytes:
    go("mod", "download", NAME)
    return (Path(go("list", "-m", "-f", "{{.Dir}}", NAME).strip()) / FILE).read_bytes()


def from_proxy() -> bytes:
    """Without Go: the module's archive, held to its sum in go.sum as Go does it."""
    version, wanted = _pinned()
    chosen = os.environ.get("GOPROXY", "").split(",")[0].split("|")[0]
    proxy = chosen if chosen.startswith("http") else PROXY
    try:
        answer = httpx.get(f"{proxy}/{NAME}/@v/{version}.zip", timeout=SECONDS, follow_redirects=True)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise PartFailedError(f"{NAME} {version} cannot be fetched from {proxy}: {error}") from error
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    if summed(files) != wanted:
        raise PartFailedError(f"{NAME} {version} from {proxy} is not what go.sum names")
    return files[f"{NAME}@{version}/{FILE}"]


def _pinned() -> tuple[str, str]:
    found = re.search(rf"^{re.escape(NAME)} (v\S+) h1:(\S+)$", (MODULE / "go.sum").read_text(), re.MULTILINE)
    if found is None:
        raise PartFailedError(f"go.sum does not name {NAME}")
    return found[1], found[2]


def summed(files: dict[str, bytes]) -> str:
    """Go's `h1`: the digest of the sorted list of the files' digests, in base64."""
    lines = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()
