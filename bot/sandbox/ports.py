"""Loopback ports: the page's own, the next free one when it is taken, and free ones for children."""

import errno
import random
import socket

HOST = "127.0.0.1"
TRIED = 50
# Below the ports that Linux and macOS give to outgoing connections: one of those could be in the child's way
# between the choice of a port and the child's start.
CHILDREN = range(20_000, 32_000)


class PortTakenError(Exception):
    """The port that was asked for by number belongs to another program."""


def page_socket(port: int, *, is_default: bool) -> socket.socket:
    """A listening socket on `port`; a taken default moves on to the next free one, any other is PortTakenError."""
    candidates = range(port, min(port + TRIED, 65_536)) if is_default else (port,)
    for candidate in candidates:
        found = _bound(candidate)
        if found is not None:
            return found
    if is_default:
        return _any()
    raise PortTakenError(f"port {port} is taken by another program; free it, or choose another --port")


def free_port() -> int:
    """A loopback port that nobody uses at this moment, and that no outgoing connection will take."""
    for candidate in random.SystemRandom().sample(CHILDREN, TRIED):
        found = _bound(candidate)
        if found is not None:
            found.close()
            return candidate
    with _any() as probe:
        return int(probe.getsockname()[1])


def _any() -> socket.socket:
    bound = _bound(0)
    if bound is None:
        raise PortTakenError("this machine has no free loopback port left")
    return bound


def _bound(port: int) -> socket.socket | None:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # A port in TIME_WAIT is free; a port somebody listens on is not, with or without this option.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
        bound.listen(128)
    except OSError as error:
        bound.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            return None
        raise
    return bound
