"""Signed HTTP: the payloads posted to the app's request URL."""

import json
from typing import assert_never
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.sandbox.slack.delivery import Payload, PayloadKind, Retry, UndeliveredError, signature
from bot.sandbox.slack.state import State
from bot.sandbox.slack.wire import Json

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


class SignedHttp:
    """Posts payloads with Slack's signature; its sockets are kept until `close`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._session: ClientSession | None = None
        self.request_url = state.settings.request_url

    async def close(self) -> None:
        """Give the sockets back."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, payload: Payload, retry: Retry | None) -> Json:
        """Post one payload; the body of a 200 within Slack's patience is the acknowledgement."""
        if self.request_url is None:
            raise UndeliveredError("dispatch_failed", "connection_failed")
        content_type, body = _body(payload)
        if self._session is None:
            self._session = ClientSession()
        timeout = ClientTimeout(total=self._state.settings.acknowledge_within)
        headers = self._headers(content_type, body, retry)
        try:
            async with self._session.post(self.request_url, data=body, headers=headers, timeout=timeout) as answer:
                text = await answer.text()
                if answer.status != 200:
                    retries = answer.headers.get("X-Slack-No-Retry") != "1"
                    raise UndeliveredError("dispatch_failed", "http_error", may_retry=retries)
                return _acknowledged(text, answer.content_type)
        except TimeoutError as why:
            raise UndeliveredError("operation_timeout", "http_timeout") from why
        except ClientError as why:
            raise UndeliveredError("dispatch_failed", "connection_failed") from why

    def _headers(self, content_type: str, body: bytes, retry: Retry | None) -> dict[str, str]:
        timestamp = str(int(self._state.clock()))
        repeated = {"X-Slack-Retry-Num": str(retry.number), "X-Slack-Retry-Reason": retry.reason} if retry else {}
        return {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._state.settings.signing_secret, timestamp, body),
            **repeated,
        }


def _body(payload: Payload) -> tuple[str, bytes]:
    match payload.kind:
        case PayloadKind.COMMAND:
            return _FORM, urlencode(payload.document).encode()
        case PayloadKind.INTERACTION:
            return _FORM, urlencode({"payload": json.dumps(payload.document)}).encode()
        case PayloadKind.EVENT:
            return _JSON, json.dumps(payload.document).encode()
        case _:
            assert_never(payload.kind)


def _acknowledged(text: str, content_type: str) -> Json:
    if content_type != _JSON:
        return {"text": text} if text else {}
    try:
        document = json.loads(text or "{}")
    except ValueError:
        return {"text": text}
    return document if isinstance(document, dict) else {}
