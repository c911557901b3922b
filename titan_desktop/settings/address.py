"""Addresses of model servers: what they may contain, to which origin a key belongs, and how they are shown.

An address has a scheme, a host, a port and a path. A user, a password or a key does not belong there: it would be
in every log and listing that names the address. Used by the settings dialog, `titan key` and the HTTP client.
"""

import ipaddress
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_endpoint(address: str) -> bool:
    """Return whether this is http or https with a host, and nothing that does not belong there.

    A query is refused whole, because paths are appended to an address. "@" is refused everywhere: in a path it is
    most likely the end of a password with "/" in it.
    """
    address = address.strip()
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    usual = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and port != 0
    return usual and address.isprintable() and not set(address) & set(" @?#")


def origin(address: str) -> str:
    """Return scheme, host and port, to which a key belongs: `https://api.openai.com`.

    Equal origins are equal strings: lower case, without the scheme's own port.
    """
    shown = shown_url(address.strip().lower())
    scheme, _, rest = shown.partition("://")
    server = rest.partition("/")[0]
    return f"{scheme}://{server.removesuffix(f':{_DEFAULT_PORTS.get(scheme, 0)}')}"


def shown_url(url: str) -> str:
    """Return an address as it may be told on the bus and on paper: nothing before "@", and no query."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        scheme, rest = "", url
    told = rest.rpartition("@")[2].partition("?")[0].partition("#")[0]
    return f"{scheme}{mark}{told}"


def is_on_this_machine(address: str) -> bool:
    """Return whether the host is this machine's loopback, by name or number."""
    host = (urlsplit(address.strip()).hostname or "").removesuffix(".")
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761, 6.3
    mapped = getattr(number, "ipv4_mapped", None)
    return number.is_loopback or number.is_unspecified or (mapped is not None and mapped.is_loopback)
