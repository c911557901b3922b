"""Which proxy leads to an endpoint, read as other programs of the system read it. Called by `transport`.

The HTTP client's own reading is not used: it creates a client for every proxy that the environment names and fails
at one that it does not know, also where another leads there or none is needed.
"""

import ipaddress
import os
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, getproxies_environment, proxy_bypass

from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import ModelError
from titan_desktop.settings import is_on_this_machine, shown_url

_SCHEMES = {"http": "http", "https": "https", "socks5": "socks5h", "socks5h": "socks5h", "socks": "socks5h"}
"""What the HTTP client calls each. GNOME writes `socks`, which GLib tries as SOCKS 5 first; the proxy always looks
names up."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that can be used.

    Attributes:
        shown: the variable and the address without a password: `HTTPS_PROXY=http://proxy:3128`.
    """

    url: str = field(repr=False)
    shown: str


def proxy_for(base_url: str) -> Proxy | None:
    """Return the proxy that the environment, or else the system (macOS, Windows), sets for an endpoint.

    This machine is always reached directly.

    Raises:
        ModelError: PROXY_UNUSABLE, it is of a kind that is not known, or its address makes no sense.
    """
    parts = urlsplit(base_url)
    if is_on_this_machine(base_url):
        return None
    proxies = getproxies()
    scheme = next((scheme for scheme in (parts.scheme, "all") if proxies.get(scheme, "").strip()), "")
    if not scheme or _is_exempt(parts, proxies):
        return None
    named = proxies[scheme].strip()
    named = named if "://" in named else f"http://{named}"
    shown = f"{_variable(scheme)}={shown_url(named)}"
    try:
        server = urlsplit(named)
        port, kind = server.port, _SCHEMES[server.scheme]
    except (ValueError, KeyError):
        raise ModelError(Fault.PROXY_UNUSABLE, shown) from None  # the cause would quote the password
    if not server.hostname or port == 0:
        raise ModelError(Fault.PROXY_UNUSABLE, shown)
    return Proxy(f"{kind}://{server.netloc}", shown)


def _variable(scheme: str) -> str:
    """Return the variable's name as it is written in the environment; without one it is the system's setting."""
    name = f"{scheme}_proxy"  # Python prefers the lower case, as curl does
    return next((each for each in (name, name.upper()) if os.environ.get(each)), name)


def _is_exempt(parts: SplitResult, proxies: dict[str, str]) -> bool:
    """Return whether `NO_PROXY` names the host: by name, domain, address or network, with a port or without.

    Entries that make no sense exempt nothing. See https://curl.se/libcurl/c/CURLOPT_NOPROXY.html.
    """
    host = (parts.hostname or "").removesuffix(".")
    if not getproxies_environment():
        return bool(proxy_bypass(host))
    return any(_names(entry.strip().lower(), host, parts) for entry in proxies.get("no", "").split(","))


def _names(entry: str, host: str, parts: SplitResult) -> bool:
    if entry in ("", "*"):
        return entry == "*"
    name, port = _host_and_port(entry.partition("://")[2] or entry)
    if port and port != str(parts.port or {"http": 80, "https": 443}[parts.scheme]):
        return False
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(name, strict=False)
    except ValueError:
        name = name.removeprefix("*").strip(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))


def _host_and_port(entry: str) -> tuple[str, str]:
    """Split `host`, `host:port`, `[::1]`, `[::1]:port`, `::1` or `10.0.0.0/8`."""
    if entry.startswith("["):
        inside, _, rest = entry[1:].partition("]")
        network, _, port = rest.partition(":")
        return inside + network, port
    if entry.count(":") == 1:
        host, _, port = entry.partition(":")
        return host, port
    return entry, ""
