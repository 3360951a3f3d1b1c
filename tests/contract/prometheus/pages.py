"""A page server whose pages a test changes while both scrape it."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tests.contract.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

Pages = dict[str, str]


@contextlib.contextmanager
def served_pages(pages: Pages) -> Iterator[str]:
    """Yield the URL of a server of `pages` by path; a missing one is answered with 500."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path)
            self.send_response(500 if page is None else 200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write((page or "").encode())

        def log_message(self, format: str, *arguments: object) -> None:
            """Quiet: a scrape a second is no news."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(PATIENCE)
        server.server_close()
