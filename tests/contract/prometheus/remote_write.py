"""Samples into a real Prometheus at times of our choosing, stale marks included."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import httpx

from bot.sandbox.prometheus.samples import is_stale

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Samples = list[tuple[int, float]]
# The bits that Prometheus itself writes when a series vanishes.
_STALE_BITS = struct.pack("<Q", 0x7FF0_0000_0000_0002)


def write(real: httpx.Client, series: Sequence[tuple[Mapping[str, str], Samples]]) -> None:
    """Store the samples by Prometheus' remote-write protocol; raises when it refuses them."""
    document = b"".join(_field(1, _series(labels, samples)) for labels, samples in series if samples)
    headers = {
        "Content-Encoding": "snappy",
        "Content-Type": "application/x-protobuf",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    }
    answer = real.post("/api/v1/write", content=_snappy(document), headers=headers)
    assert answer.status_code == httpx.codes.NO_CONTENT, answer.text


def _series(labels: Mapping[str, str], samples: Samples) -> bytes:
    pairs = (_field(1, name.encode()) + _field(2, value.encode()) for name, value in sorted(labels.items()))
    return b"".join(_field(1, pair) for pair in pairs) + b"".join(_field(2, _sample(*s)) for s in samples)


def _sample(at: int, value: float) -> bytes:
    bits = _STALE_BITS if is_stale(value) else struct.pack("<d", value)
    return b"\x09" + bits + b"\x10" + _varint(at)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _snappy(content: bytes) -> bytes:
    """A snappy block of literals alone, which needs no compressor."""
    chunks = [content[start : start + 65_536] for start in range(0, len(content), 65_536)]
    literals = (b"\xf4" + struct.pack("<H", len(chunk) - 1) + chunk for chunk in chunks)
    return _varint(len(content)) + b"".join(literals)
