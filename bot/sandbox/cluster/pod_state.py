"""The states of a sandbox pod."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Starting:
    """Its process has not told its port yet."""


@dataclass(frozen=True)
class Running:
    """Its process answers on this port."""

    port: int


@dataclass(frozen=True)
class CrashLooping:
    """Its process has ended by itself and waits to be started again."""

    exit_code: int


@dataclass(frozen=True)
class ImageMissing:
    """Its image cannot be pulled, so there is no process."""


PodState = Starting | Running | CrashLooping | ImageMissing
