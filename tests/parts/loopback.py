"""Asking what listens on loopback: straight, through no proxy, and without reading this machine's certificates.

httpx reads them for every client it makes, which takes twenty times as long as the question itself.
"""

from __future__ import annotations

import ssl
from functools import partial

import httpx

from tests.patience import PATIENCE

_KNOWS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

get = partial(httpx.get, verify=_KNOWS_NOBODY, trust_env=False, timeout=PATIENCE)
post = partial(httpx.post, verify=_KNOWS_NOBODY, trust_env=False, timeout=PATIENCE)
