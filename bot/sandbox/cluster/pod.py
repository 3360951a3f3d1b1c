"""The pod process: a small HTTP service and its sidecar's metrics, on the standard library alone.

Started as `python -S -E -c ... <json>` by `pod_process`. The parent writes knobs to standard input, one JSON
object a line, and its end of file ends the pod, so no pod outlives the sandbox. The pod writes its port first
and then its own use of CPU and memory once a second to standard output.
"""

import asyncio
import json
import os
import random
import re
import resource
import signal
import sys
from collections import deque
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.cluster.istio_series import Exchange, IstioSeries, ServiceName, Workload, escape

USAGE_SECONDS = 1.0
METRICS_PATH, LOG_PATH = "/stats/prometheus", "/stats/access-log"
LOG_LINES = 40
TAKES = re.compile(r"[?&]take_ms=(\d{1,5})\b")  # a caller's wish for a request that takes its time
FAILURES = (500, 503)
ORDERING = 0.4  # of the requests that went well
PORT = 9080  # of the container; here each pod listens on a port of its own
REASONS = {200: "OK", 500: "Internal Server Error", 503: "Service Unavailable"}


class Pod:
    """What the pod is, how it behaves now, and what it has counted."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.name: str = config["pod"]
        self.version: str = config["version"]
        self.service: str = config["service"]
        namespace: str = config["namespace"]
        host = f"{self.service}.{namespace}.svc.cluster.local"
        self._names = (
            Workload(**config["source"]),
            Workload.of_pod(config["workload"], namespace, config["labels"]),
            ServiceName(host, self.service, namespace),
        )
        self._random = random.Random(config["seed"])  # noqa: S311 - the shop's luck, not a secret
        # Luck of its own, so that what the shop sells does not change what its requests do.
        self._buyers = random.Random(config["seed"] + 1)  # noqa: S311 - as above
        self._series = IstioSeries("destination")
        self._orders = 0
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self.error_rate = 0.0
        self.delay_ms = 0.0
        self.orders = 1.0

    def turn(self, knobs: dict[str, float]) -> None:
        """Take new knobs; a field that is not named stays."""
        self.error_rate = float(knobs.get("error_rate", self.error_rate))
        self.delay_ms = float(knobs.get("delay_ms", self.delay_ms))
        self.orders = float(knobs.get("orders", self.orders))

    def decide(self) -> tuple[int, float]:
        """The next answer's status and the seconds it takes."""
        failed = self._random.random() < self.error_rate
        code = self._random.choice(FAILURES) if failed else 200
        # A service's own time is skewed: mostly a few milliseconds, seldom a lot more.
        own_ms = min(self._random.lognormvariate(1.6, 0.45), 60.0)
        return code, (own_ms + self.delay_ms) / 1000

    def count(self, code: int, seconds: float) -> None:
        """Count one answered request, mirrored ones included, as a sidecar does."""
        source, destination, service = self._names
        self._series.record(Exchange(source, destination, service, code), seconds * 1000)
        if code < 500 and self._buyers.random() < ORDERING * self.orders:
            self._orders += 1

    def note(self, line: str, code: int, seconds: float) -> None:
        """One request in the sidecar's access log, in the form that Istio gives it."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        cluster = f'inbound|{PORT}|| "{self.name}"'
        self._log.append(f'[{now}] "{line}" {code} - via_upstream - "-" 0 0 {seconds * 1000:.0f} - {cluster}')

    def access_log(self) -> str:
        """The last lines of the access log."""
        return "".join(f"{line}\n" for line in self._log)

    def metrics(self) -> str:
        """The sidecar's, the process's and the shop's metrics as text."""
        cpu, memory = usage()
        labels = f'service="{escape(self.service)}",version="{escape(self.version)}"'
        process = (
            f"# TYPE shop_orders_total counter\nshop_orders_total{{{labels}}} {self._orders}\n"
            f"# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total {cpu!r}\n"
            f"# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes {memory}\n"
        )
        return self._series.render() + process


class Conversation(asyncio.Protocol):
    """One HTTP/1.1 connection: requests are answered one after the other."""

    def __init__(self, pod: Pod, open_ones: set["Conversation"]) -> None:
        self._pod = pod
        self._open_ones = open_ones
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._pending: asyncio.TimerHandle | None = None

    @property
    def busy(self) -> bool:
        """Whether an answer is still owed."""
        return self._pending is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the open conversations."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP server makes no other kind
        self._transport = transport
        self._open_ones.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget an answer nobody waits for."""
        self._open_ones.discard(self)
        self._transport = None
        if self._pending is not None:
            self._pending.cancel()

    def data_received(self, data: bytes) -> None:
        """Collect bytes and start on the next whole request."""
        self._buffer += data
        self._next()

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def _next(self) -> None:
        if self.busy:
            return
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        length = _body_length(head)
        if length is None:
            _body, end, rest = rest.partition(b"0\r\n\r\n")
            if not end:
                return
        elif len(rest) < length:
            return
        else:
            rest = rest[length:]
        self._buffer = rest
        line = head.partition(b"\r\n")[0].decode("latin-1")
        path = line.split(" ", 2)[1]
        if path in (METRICS_PATH, LOG_PATH):
            text = self._pod.metrics() if path == METRICS_PATH else self._pod.access_log()
            self._write(200, text.encode(), "text/plain; version=0.0.4")
            self._next()
            return
        code, seconds = self._pod.decide()
        taken = TAKES.search(path)
        seconds += int(taken[1]) / 1000 if taken else 0
        self._pending = asyncio.get_running_loop().call_later(seconds, self._answer, code, seconds, line)

    def _answer(self, code: int, seconds: float, line: str) -> None:
        self._pending = None
        self._pod.count(code, seconds)
        self._pod.note(line, code, seconds)
        path = line.split(" ", 2)[1]
        body = {
            "service": self._pod.service,
            "version": self._pod.version,
            "pod": self._pod.name,
            "path": path,
        }
        self._write(code, json.dumps(body).encode(), "application/json")
        self._next()

    def _write(self, code: int, body: bytes, kind: str) -> None:
        if self._transport is None:
            return
        head = (
            f"HTTP/1.1 {code} {REASONS[code]}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n"
            f"x-version: {self._pod.version}\r\nx-pod: {self._pod.name}\r\n\r\n"
        )
        self._transport.write(head.encode() + body)


def _body_length(head: bytes) -> int | None:
    """Bytes of the body; None when it comes in chunks."""
    for line in head.lower().split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
        if name == b"transfer-encoding" and b"chunked" in value:
            return None
    return 0


def usage() -> tuple[float, int]:
    """CPU seconds and resident bytes of this process."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    try:
        with open("/proc/self/statm", encoding="ascii") as pages:
            memory = int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:  # macOS: only the peak is told, and in bytes
        memory = spent.ru_maxrss
    return spent.ru_utime + spent.ru_stime, memory


def tell(message: dict[str, Any]) -> None:
    """One line to the parent."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


async def listen(pod: Pod, port: int, open_ones: set[Conversation]) -> asyncio.Server:
    """Listen on the given port, or on a free one when it is taken."""
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(lambda: Conversation(pod, open_ones), "127.0.0.1", port)
    except OSError:
        return await loop.create_server(lambda: Conversation(pod, open_ones), "127.0.0.1", 0)


async def serve(config: dict[str, Any]) -> None:
    """Answer until SIGTERM, then finish what is owed; or until the parent is gone."""
    loop = asyncio.get_running_loop()
    pod = Pod(config)
    open_ones: set[Conversation] = set()
    server = await listen(pod, config["port"], open_ones)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    tell({"port": server.sockets[0].getsockname()[1]})
    work = (loop.create_task(obey(pod, commands, ended)), loop.create_task(report()))
    await ended.wait()
    server.close()
    for _ in range(100):
        if not any(one.busy for one in open_ones):
            break
        await asyncio.sleep(0.01)
    for task in work:
        task.cancel()


async def obey(pod: Pod, commands: asyncio.StreamReader, ended: asyncio.Event) -> None:
    """Turn knobs as told; the parent's end of file ends the pod."""
    while line := await commands.readline():
        pod.turn(json.loads(line))
    ended.set()


async def report() -> None:
    """Tell CPU and memory each second."""
    while True:
        cpu, memory = usage()
        tell({"cpu": cpu, "memory": memory})
        await asyncio.sleep(USAGE_SECONDS)


def main() -> None:
    """Run one pod from the JSON in the first argument."""
    # Ctrl-C reaches the whole process group; the parent decides when its pods go.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    config = json.loads(sys.argv[1])
    if config.get("crash"):
        sys.exit(1)
    try:
        asyncio.run(serve(config))
    except BrokenPipeError:
        # The parent has gone: nobody is left to report to.
        os._exit(0)
