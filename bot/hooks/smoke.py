"""The smoke test of a version that serves nobody yet: asked by a POST, and asked again until it answers."""

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from bot.answerers import SmokeAnswer
from bot.errors import Transient
from bot.hooks.hosts import is_loopback, why
from bot.hooks.token import Token, remark

TIMEOUT = 10.0
RUNNING_PAUSE = 5.0
PASSED, RUNNING, FAILED = frozenset({200, 204}), 202, 422
LONGEST = 300


def trouble(address: str) -> str:
    """Why `address` cannot be asked, as the end of a sentence; empty when it can."""
    is_web = address.startswith(("http://", "https://")) and urlsplit(address).hostname
    return "" if is_web else "must be a URL that begins with http:// or https://"


class HttpSmoke:
    """Implements `bot.ports.Smoke` by POST.

    200 and 204 mean passed, unless the JSON of a 200 says `{"passed": false}`; 422 means failed; 202 that it still
    runs. Anything else is no answer, and never a failed test.
    """

    def __init__(self, timeout: float = TIMEOUT, token: Token = Token()) -> None:  # noqa: B008 - frozen
        self._timeout = timeout
        self._token = token

    def ask(self, address: str, about: Mapping[str, object], key: str) -> SmokeAnswer:
        """The answer about one split; `key` is the same for each time it is asked. Transient while there is none."""
        import httpx  # noqa: PLC0415 - most services have no smoke test, and the start need not wait for it

        where = urlsplit(address).hostname or ""
        sent = self._token.headers(address)
        headers = {"Idempotency-Key": key, **sent}
        try:
            with httpx.Client(timeout=self._timeout, trust_env=not is_loopback(where)) as client:
                answer = client.post(address, json=dict(about), headers=headers)
        except httpx.TimeoutException as error:
            raise Transient(f"The smoke test at {where} did not answer within {self._timeout:g} s.") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Transient(f"The smoke test at {where} cannot be asked: {why(error)}.") from error
        return _read(answer.status_code, answer.text, where, remark(answer.status_code, sent))


def _read(status: int, text: str, where: str, more: str) -> SmokeAnswer:
    told = _told(text)
    said = str(told.get("text") or ("" if told else text)).strip().partition("\n")[0][:LONGEST]
    ending = f": {said}" if said else "."
    if status == FAILED or (status in PASSED and told.get("passed") is False):
        return SmokeAnswer(is_passed=False, text=f"The smoke test at {where} failed{ending}")
    if status in PASSED:
        return SmokeAnswer(is_passed=True, text=f"The smoke test at {where} passed{ending}")
    if status == RUNNING:
        raise Transient(f"The smoke test at {where} is still running.", retry_after=RUNNING_PAUSE)
    raise Transient(f"The smoke test at {where} answers HTTP {status}, which is none of 200, 202, 204 and 422.{more}")


def _told(text: str) -> Mapping[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
