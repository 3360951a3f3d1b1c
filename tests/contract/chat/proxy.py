"""A proxy as companies have one: forwards plain requests, and opens tunnels in which it shows its own certificate."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

END = b"\r\n\r\n"
REFUSAL = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close" + END


class Proxy:
    """Remembers the first line of each request; a tunnel's inside goes on in plain text."""

    def __init__(self, certificate: Path) -> None:
        self.asked: list[str] = []
        self.is_refusing = False
        self.refuses_tunnels = False
        self._certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._certificate.load_cert_chain(certificate)
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                proxy.serve(self.request)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self, caller: socket.socket) -> None:
        """One connection, to its end."""
        head = b""
        while END not in head:
            received = caller.recv(65536)
            if not received:
                return
            head += received
        line, rest = head.split(b"\r\n", 1)
        self.asked.append(line.decode())
        method, target, version = line.decode().split(" ")
        if self.is_refusing or (self.refuses_tunnels and method == "CONNECT"):
            caller.sendall(REFUSAL)
            return
        where = urlsplit(f"//{target}" if method == "CONNECT" else target)
        with socket.create_connection((str(where.hostname), int(where.port or 80))) as server:
            if method == "CONNECT":
                caller.sendall(b"HTTP/1.1 200 Connection established" + END)
                with self._certificate.wrap_socket(caller, server_side=True) as inside:
                    _relay(inside, server)
            else:
                path = target.removeprefix(f"{where.scheme}://{where.netloc}")
                server.sendall(f"{method} {path} {version}\r\n".encode() + rest)
                _relay(caller, server)


def _relay(one: socket.socket, other: socket.socket) -> None:
    """Both ways, until either side ends."""
    back = threading.Thread(target=_pass, args=(other, one), daemon=True)
    back.start()
    _pass(one, other)
    back.join()


def _pass(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while received := source.recv(65536):
            sink.sendall(received)
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
