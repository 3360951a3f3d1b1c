"""Slack behind a company's proxy: HTTPS_PROXY is the way out, NO_PROXY goes past it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import Transient
from bot.sandbox.slack import SlackThread
from tests.contract.chat.bot import Bot, a_slack, known, opened, socket
from tests.contract.chat.proxy import Proxy
from tests.contract.chat.test_chat import PICTURE, card_of
from tests.contract.patience import until
from tests.unit.slack.releases import asking

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")


@pytest.fixture
def slack() -> Iterator[SlackThread]:
    with a_slack() as thread:
        yield thread


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that vouches for itself, with its key in one file."""
    path = tmp_path_factory.mktemp("certificate") / "proxy.pem"
    asked = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    command = ["openssl", *asked.split(), "-keyout", f"{path}.key", "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    path.write_text(path.read_text() + Path(f"{path}.key").read_text())
    return path


@pytest.fixture
def proxy(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    with Proxy(certificate) as found:
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.lower(), raising=False)
        monkeypatch.setenv("HTTPS_PROXY", found.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        yield found


def test_messages_pictures_and_socket_mode_go_through_the_proxy(
    slack: SlackThread, proxy: Proxy, tmp_path: Path
) -> None:
    bot = Bot(slack, known(slack, tmp_path))
    with socket(bot) as door:
        assert slack.run(slack.stand_in.command("alice", "/release list")).acknowledged
        assert bot.told("alice")
        root = bot.chat.show_root(card_of(asking()), None)
        bot.chat.show_stage(card_of(asking(), root=root), 1, PICTURE, None)
        until(lambda: not door.troubles())
    asked = " ".join(proxy.asked)
    for method in ("users.list", "apps.connections.open", "chat.postMessage", "files.completeUploadExternal"):
        assert f"{method} HTTP/1.1" in asked
    assert "CONNECT 127.0.0.1:" in asked


def test_a_host_that_no_proxy_names_is_spoken_to_directly(
    slack: SlackThread, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8,127.0.0.1")
    bot = Bot(slack, known(slack, tmp_path))
    with socket(bot):
        assert slack.run(slack.stand_in.command("alice", "/release list")).acknowledged
        assert bot.told("alice")
        bot.card()
    assert proxy.asked == []


def test_a_proxy_that_refuses_is_told_and_tried_again(slack: SlackThread, proxy: Proxy, tmp_path: Path) -> None:
    bot = Bot(slack, known(slack, tmp_path))
    proxy.is_refusing = True
    with opened(bot) as door:
        until(lambda: "not connected yet" not in "".join(door.troubles()))
        (told,) = door.troubles()
        assert told == (
            "Slack's Socket Mode cannot be reached: something that is not Slack answered apps.connections.open"
            " with HTTP 403; is a proxy in between, and is it passed?"
        )
        with pytest.raises(Transient, match=r"answered chat\.postMessage with HTTP 403"):
            bot.chat.show_root(card_of(asking()), None)
        proxy.is_refusing = False
        until(lambda: not door.troubles())


# The SDK leaves the socket of a refused tunnel to the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning")
def test_a_refused_tunnel_is_told_without_the_password_of_the_proxy(
    slack: SlackThread, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//sluice:s3cret@"))
    bot = Bot(slack, known(slack, tmp_path))
    proxy.refuses_tunnels = True
    with opened(bot) as door:
        until(lambda: door.troubles() == ("Slack's Socket Mode refused the connection",))
    assert f"(proxy: http://…@127.0.0.1:{proxy.port}, connect status code: 403)" in caplog.text
    assert "s3cret" not in caplog.text
