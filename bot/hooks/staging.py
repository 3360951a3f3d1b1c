"""Was this version completed in staging? Asked of a webhook, or of the REST interface of the Sluice there."""

import re
from urllib.parse import quote, urlsplit

from bot.errors import Transient
from bot.hooks.hosts import is_loopback, why
from bot.hooks.token import Token, remark
from strategies.release import Target

TIMEOUT = 5.0
PLACES = ("service", "version", "namespace")
COMPLETED, UNKNOWN = frozenset({200, 204}), 404
_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def trouble(address: str) -> str:
    """Why `address` cannot be asked, as the end of a sentence; empty when it can."""
    if not address.startswith(("http://", "https://")):
        return "must be a URL that begins with http:// or https://"
    strange = [name for name in _PLACE.findall(address) if name not in PLACES]
    if strange:
        return f"knows no {{{{{strange[0]}}}}}; there are {', '.join(f'{{{{{name}}}}}' for name in PLACES)}"
    return "" if "version" in _PLACE.findall(address) else "must contain {{version}}, the version it is asked about"


class HttpStaging:
    """Implements `bot.ports.Staging` by GET: 200 and 204 mean completed, 404 means not; anything else is no answer."""

    def __init__(self, timeout: float = TIMEOUT, token: Token = Token()) -> None:  # noqa: B008 - frozen
        self._timeout = timeout
        self._token = token

    def completed(self, address: str, target: Target) -> bool:
        """True when the candidate was completed in staging; Transient with one sentence when nobody says."""
        import httpx  # noqa: PLC0415 - most services have no staging, and the start need not wait for it

        values = {"service": target.service, "version": target.candidate, "namespace": target.namespace}
        url = _PLACE.sub(lambda found: quote(values[found[1]], safe=""), address)
        where, headers = urlsplit(url).hostname or url, self._token.headers(url)
        try:
            # A proxy of the environment must not swallow what stays on this machine.
            answer = httpx.get(url, headers=headers, timeout=self._timeout, trust_env=not is_loopback(where))
        except httpx.TimeoutException as error:
            raise Transient(f"Staging at {where} did not answer within {self._timeout:g} s.") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Transient(f"Staging at {where} cannot be asked: {why(error)}.") from error
        if answer.status_code in COMPLETED:
            return True
        if answer.status_code == UNKNOWN:
            return False
        more = remark(answer.status_code, headers)
        raise Transient(f"Staging at {where} answers HTTP {answer.status_code}, neither 200 nor 404.{more}")
