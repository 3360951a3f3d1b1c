"""Hosts that are asked: which are this machine, and why one could not be asked, in plain words."""

import ipaddress

# Names of the classes of httpx, which takes long to import; the nearest one in a class's line of parents counts.
WORDS = {
    "ConnectError": "no connection: its name is not known, nobody listens there, or its certificate is not trusted",
    "ProxyError": "the proxy on the way refuses the connection",
    "UnsupportedProtocol": "its address is no URL of http or https",
    "InvalidURL": "its address is no URL",
    "NetworkError": "the connection broke off",
    "ProtocolError": "its answer is no HTTP",
    "DecodingError": "its answer cannot be decoded",
}


def is_loopback(host: str) -> bool:
    """True when the host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def why(error: Exception) -> str:
    """What kept a host from being asked. The library's own sentence may hold the address, and that a secret."""
    known = (WORDS[each.__name__] for each in type(error).__mro__ if each.__name__ in WORDS)
    return next(known, "it cannot be asked")
