"""A proxy on loopback between the adapter and an API server: counts, delays, loses and rewrites answers."""

from __future__ import annotations

import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import urllib3

from tests.contract.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

PASSED_ON = ("Authorization", "Content-Type", "Accept")


class Proxy:
    """Plain HTTP in front of one server. `seen` lists method and path of every request that came in."""

    def __init__(self, url: str, ca_path: str | None = None) -> None:
        # A quiet watch is as long as the server lets it be.
        self.upstream = urllib3.PoolManager(ca_certs=ca_path, retries=False, timeout=300, maxsize=32)
        self.target = url
        self.calm()
        # Both ends of each open watch: the client's socket, and the server's.
        self.watches: dict[socket.socket, socket.socket | None] = {}
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def calm(self) -> None:
        """Forget what was seen, and what was to happen to requests and answers."""
        self.seen: list[tuple[str, str]] = []
        self.before: list[Callable[[], None]] = []
        self.answers: list[tuple[str, int, bytes, dict[str, str]]] = []
        self.forbidden = ""  # a piece of the paths that are refused
        self.lost = 0
        self.change_answer: Callable[[bytes], bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def writes(self) -> list[str]:
        """Paths of all PUTs, in order."""
        return [path for method, path in self.seen if method == "PUT"]

    def reads(self) -> list[str]:
        """Paths of all GETs of single objects."""
        return [path for method, path in self.seen if method == "GET" and "?" not in path and path.count("/") > 6]

    def end_watches(self) -> None:
        """Break every open watch."""
        for ends in list(self.watches.items()):
            for each in ends:
                with contextlib.suppress(OSError):
                    if each is not None:
                        each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.end_watches()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)
        self.upstream.clear()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A watch ends when its server does; nobody waits for it.
    block_on_close = False

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without it the kernel waits for the client's acknowledgement between headers and body.
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test's output clean."""

    @property
    def _proxy(self) -> Proxy:
        assert isinstance(self.server, _Server)
        return self.server.proxy

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._proxy.seen.append((self.command, self.path))
        if self.command == "PUT" and self._proxy.before:
            self._proxy.before.pop(0)()
        if self._proxy.forbidden and self._proxy.forbidden in self.path:
            self._answer(403, b'{"kind": "Status", "message": "User \\"x\\" cannot do that"}', {})
            return
        answers = self._proxy.answers  # a test may put others in their place meanwhile
        for index, (method, status, told, headers) in enumerate(answers):
            if method == self.command:
                del answers[index]
                self._answer(status, told, headers)
                return
        headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
        answer = self._proxy.upstream.request(
            self.command,
            self._proxy.target + self.path,
            body=body or None,
            headers=headers,
            preload_content=False,
        )
        if "watch=true" in self.path and answer.status == 200:
            self._stream(answer)
        else:
            self._pass_back(answer.status, answer.data)

    def _pass_back(self, status: int, told: bytes) -> None:
        if self.command == "PUT" and self._proxy.lost:
            self._proxy.lost -= 1
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        if self.command == "PUT" and self._proxy.change_answer is not None:
            told = self._proxy.change_answer(told)
        self._answer(status, told, {})

    def _answer(self, status: int, told: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(told)

    def _stream(self, answer: urllib3.BaseHTTPResponse) -> None:
        self._proxy.watches[self.connection] = getattr(getattr(answer, "connection", None), "sock", None)
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for chunk in answer.stream(None):
                self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        except (OSError, urllib3.exceptions.HTTPError):
            self.close_connection = True
        finally:
            self._proxy.watches.pop(self.connection, None)
            answer.close()

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _forward  # noqa: N815 - names that the library calls
