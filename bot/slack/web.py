"""The Web API client, and Slack's refusals in our three kinds of trouble."""

import logging
import re
from collections.abc import Callable
from http.client import HTTPException
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient

from bot.errors import Fault, Transient

TIMEOUT = 10
RETRY_AFTER = 30.0
# The SDK logs whole payloads at DEBUG; one line per call from us is enough.
sdk_log = logging.getLogger("bot.slack.sdk")
sdk_log.setLevel(logging.WARNING)


def _in_one_line(record: logging.LogRecord) -> bool:
    """A connection that was lost while somebody was answered is a sentence, and no fault of ours to be traced.

    The SDK tells a proxy's whole URL; whose password is in it stays untold.
    """
    if record.exc_info and isinstance(record.exc_info[1], SlackClientError | OSError):
        record.exc_info = None
    record.msg, record.args = _CREDENTIALS.sub("//…@", record.getMessage()), ()
    return True


_CREDENTIALS = re.compile(r"//[^/@\s]+@")
sdk_log.addFilter(_in_one_line)
# Slack says why in one word. A proxy on the way, or a page that asks to log in, says anything else.
_WORD = re.compile(r"[a-z][a-z0-9_]*")

_PASSING = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org", "rollup_error"}
)
_SENTENCES = {
    "not_in_channel": "Sluice is not in the channel; say /invite @sluice there",
    "channel_not_found": "Slack shows no such channel to Sluice; check its id, and say /invite @sluice there",
    "is_archived": "the channel is archived; unarchive it or name another one",
    "invalid_auth": "Slack refuses the bot token; check SLUICE_SLACK_BOT_TOKEN",
    "not_authed": "no bot token was sent; set SLUICE_SLACK_BOT_TOKEN",
    "token_revoked": "the bot token was revoked; install the app again and set SLUICE_SLACK_BOT_TOKEN",
    "token_expired": "the bot token has expired; set SLUICE_SLACK_BOT_TOKEN anew",
    "account_inactive": "the bot was removed from the workspace; install the app again",
    "restricted_action": "the workspace does not let apps post in this channel",
}


NOT_SLACK = "something that is not Slack"
Web = WebClient  # so that the composition root can name the type without the library


class Refusal(Fault):
    """Slack refused a call for good; `code` is Slack's own word for why."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def connect(token: str | None, base_url: str, timeout: int = TIMEOUT) -> WebClient:
    """A client that tries once: retries live in the outbox, and a lost answer must not post twice by itself."""
    client = WebClient(token=token, base_url=base_url, timeout=timeout, retry_handlers=[], logger=sdk_log)
    # The SDK takes HTTPS_PROXY but not NO_PROXY; without its own proxy, urllib obeys both.
    if proxy_bypass(urlsplit(base_url).hostname or ""):
        client.proxy = None
    return client


def called(method: Callable[..., SlackResponse], **arguments: object) -> SlackResponse:
    """The answer of one Web API call; raises Transient or Refusal."""
    name = method.__name__.replace("_", ".")
    try:
        return method(**arguments)
    except SlackApiError as error:
        raise translated(name, error) from error
    except (OSError, HTTPException, SlackClientError) as error:
        raise Transient(f"Slack did not answer {name}: {cause(error)}") from error


def send(url: str, body: dict[str, object], timeout: int = TIMEOUT) -> None:
    """Post to a response_url; raises Transient or Refusal."""
    client = WebhookClient(url, timeout=timeout, retry_handlers=[], logger=sdk_log)
    if proxy_bypass(urlsplit(url).hostname or ""):
        client.proxy = None
    try:
        answer = client.send_dict(body)
    except (OSError, HTTPException, SlackClientError) as error:
        raise Transient(f"Slack did not take a private answer: {type(error).__name__}") from error
    if answer.status_code == 429 or answer.status_code >= 500:
        raise Transient(f"Slack did not take a private answer: HTTP {answer.status_code}")
    if answer.status_code != 200:
        # A response_url says its word bare or in a document.
        if not (_WORD.fullmatch(answer.body) or '"error":' in answer.body):
            raise Transient(f"{NOT_SLACK} answered a private answer with HTTP {answer.status_code}")
        raise Refusal(answer.body[:60], f"Slack refused a private answer: {answer.body[:200]}")


def cause(error: Exception) -> str:
    """Why Slack was not reached, in words: the SDK wraps the kernel's reason in two errors of its own."""
    inner = error.reason if isinstance(error, URLError) else error
    said = getattr(inner, "strerror", None) or str(inner)
    return str(said) or type(error).__name__


def translated(name: str, error: SlackApiError) -> Transient | Refusal:
    """Slack's answer to a call of `name`, as trouble that passes or does not."""
    response = error.response
    status = getattr(response, "status_code", 200)
    code = str(response.get("error") or "no reason") if response is not None else "no reason"
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return Transient(f"Slack limits the rate of {name}", _retry_after(getattr(response, "headers", {})))
    if status >= 500 or code in _PASSING:
        return Transient(f"Slack cannot do {name} now: {code[:100] if status == 200 else f'HTTP {status}'}")
    if not _WORD.fullmatch(code):
        return Transient(f"{NOT_SLACK} answered {name} with HTTP {status}; is a proxy in between, and is it passed?")
    if code == "missing_scope":
        needed = response.get("needed") or "a scope"
        return Refusal(code, f"Slack refused {name}: the app lacks {needed}; add it to the manifest and reinstall")
    return Refusal(code, f"Slack refused {name}: {_SENTENCES.get(code, code)}{_pointers(response)}")


def _retry_after(headers: object) -> float:
    found = headers if isinstance(headers, dict) else {}
    value = next((found[name] for name in found if str(name).lower() == "retry-after"), RETRY_AFTER)
    try:
        return max(float(value), 0.0)
    except (TypeError, ValueError):
        return RETRY_AFTER


def _pointers(response: object) -> str:
    get = getattr(response, "get", None)
    details = (get("response_metadata") or {}) if get else {}
    messages = details.get("messages") if isinstance(details, dict) else None
    return f" ({'; '.join(str(each) for each in messages[:5])})" if messages else ""
