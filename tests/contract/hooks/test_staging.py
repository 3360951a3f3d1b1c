"""What staging says, over real HTTP, and on the fake."""

import http.server
import threading
from collections.abc import Iterator

import httpx
import pytest

from bot.answerers import Staging
from bot.errors import Transient
from bot.hooks import hosts
from bot.hooks.staging import HttpStaging, trouble
from bot.hooks.token import Token
from tests.answering import answering
from tests.builders import a_target
from tests.contract.patience import PATIENCE
from tests.fakes import FakeStaging

STATUS = {"v1": 200, "v2": 204, "v3": 404, "v4": 500, "v5": 302, "v6": 401}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by the version at the end of the path."""

    asked: list[str] = []  # noqa: RUF012 - of the one server of this module
    tokens: list[str | None] = []  # noqa: RUF012 - likewise
    given_up = threading.Event()

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.tokens.append(self.headers["authorization"])
        version = self.path.rpartition("/")[2]
        if version == "slow":
            self.given_up.wait(PATIENCE)
            return
        self.send_response(STATUS.get(version, 404))
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test's output quiet."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with answering(Handler) as url:
        yield f"{url}/done/{{{{service}}}}/{{{{ version }}}}"


@pytest.fixture(params=["http", "fake"])
def staging(request: pytest.FixtureRequest) -> Staging:
    fake = FakeStaging()
    fake.versions = {"v1", "v2"}
    return HttpStaging() if request.param == "http" else fake


@pytest.mark.parametrize(("version", "completed"), [("v1", True), ("v2", True), ("v3", False)])
def test_completed_or_not(staging: Staging, address: str, version: str, completed: bool) -> None:
    assert staging.completed(address, a_target(candidate=version)) is completed


@pytest.mark.parametrize("version", ["v4", "v5", "v6"])
def test_anything_else_is_no_answer(address: str, version: str) -> None:
    with pytest.raises(Transient, match=f"HTTP {STATUS[version]}, neither 200 nor 404"):
        HttpStaging().completed(address, a_target(candidate=version))


def test_nobody_there_and_nobody_in_time_are_said_in_a_sentence(address: str) -> None:
    with pytest.raises(Transient, match=r"Staging at 127\.0\.0\.1 cannot be asked: no connection: "):
        HttpStaging().completed("http://127.0.0.1:9/{{version}}", a_target())
    with pytest.raises(Transient, match=r"did not answer within 0\.1 s"):
        HttpStaging(timeout=0.1).completed(address, a_target(candidate="slow"))
    Handler.given_up.set()


def test_names_are_written_into_the_address_so_that_they_stay_names(address: str) -> None:
    HttpStaging().completed(address, a_target(service="a/b?c", candidate="v3#x"))
    assert Handler.asked[-1] == "/done/a%2Fb%3Fc/v3%23x"


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("ftp://staging.example/{{version}}", "begins with http:// or https://"),
        ("https://staging.example/{{branch}}", "knows no {{branch}}"),
        ("https://staging.example/", "must contain {{version}}"),
        ("https://staging.example/{{ namespace }}/{{service}}/{{version}}", ""),
    ],
)
def test_an_address_that_cannot_be_asked_is_named(address: str, why: str) -> None:
    assert (why in trouble(address)) if why else trouble(address) == ""


@pytest.mark.parametrize(("host", "sent"), [("127.0.0.1", "Bearer s3cret"), ("127.0.0.1:1", None)])
def test_the_token_goes_to_the_hosts_that_were_named_for_it(address: str, host: str, sent: str | None) -> None:
    staging = HttpStaging(token=Token("s3cret", frozenset({host})))
    assert staging.completed(address, a_target(candidate="v1"))
    assert Handler.tokens[-1] == sent


@pytest.mark.parametrize(
    ("host", "why"), [("127.0.0.1", "It does not take SLUICE_HOOKS_TOKEN."), ("", "It wants a token: ")]
)
def test_a_missing_and_a_wrong_token_are_told_apart(address: str, host: str, why: str) -> None:
    with pytest.raises(Transient, match=f"HTTP 401, neither 200 nor 404. {why}") as refused:
        HttpStaging(token=Token("s3cret", frozenset({host}))).completed(address, a_target(candidate="v6"))
    assert "s3cret" not in str(refused.value)


def test_a_token_never_travels_in_the_clear_and_is_never_shown() -> None:
    token = Token("s3cret", frozenset({"staging.example", "other.example:8443"}))
    assert token.headers("http://staging.example/x") == {}
    assert token.headers("https://staging.example.evil.example/x") == {}
    assert token.headers("https://u:p@staging.example/x") == {"Authorization": "Bearer s3cret"}
    assert token.headers("https://other.example:8443/x") != {}
    assert token.headers("https://other.example/x") == {}
    assert "s3cret" not in repr(token)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), "no connection"),
        (httpx.UnsupportedProtocol("Request URL has an unsupported protocol"), "no URL of http or https"),
        (httpx.InvalidURL("Invalid port: 'x'"), "no URL"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), "no HTTP"),
        (httpx.ReadError(""), "broke off"),
        (httpx.TooManyRedirects("Exceeded"), "cannot be asked"),
    ],
)
def test_what_kept_it_from_being_asked_is_said_in_plain_words(error: Exception, words: str) -> None:
    assert words in hosts.why(error)
    assert str(error) not in hosts.why(error) or not str(error)
