"""The HTTP client for one endpoint: one origin, the proxy that leads there, the certificates to believe.

It imports the HTTP library, which takes a while: `client` imports this in a thread.
"""

import os
import ssl
from pathlib import Path

import httpx2

from titan_desktop.adapters.openai.proxies import proxy_for
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import ModelError
from titan_desktop.settings import shown_url

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Where people name the certificates of their company, for OpenSSL, requests and curl; the first one counts."""


def http_client(base_url: str) -> tuple[httpx2.AsyncClient, str]:
    """Return a client that talks to this origin alone, and its proxy as it may be told, "" for none.

    Raises:
        ModelError: PROXY_UNUSABLE or CERTIFICATES_UNUSABLE, with the variable that says so; BAD_ADDRESS.
    """
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL as error:  # a name in letters that no name may have
        raise ModelError(Fault.BAD_ADDRESS, shown_url(base_url)) from error
    proxy = proxy_for(base_url)
    through = None if proxy is None else httpx2.Proxy(proxy.url, ssl_context=_believed(proxy.url))
    verify = _believed(base_url) or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which believes nobody
    transport = httpx2.AsyncHTTPTransport(verify=verify, proxy=through, trust_env=False)
    client = httpx2.AsyncClient(
        transport=_OneOrigin(transport, url), trust_env=False, follow_redirects=True, max_redirects=5
    )
    return client, proxy.shown if proxy else ""


class _OneOrigin(httpx2.AsyncBaseTransport):
    """Refuses every request to another origin, before anything is sent: a question goes where the person said.

    The library would follow a redirect with the question, the passages and all headers but the key.
    """

    def __init__(self, transport: httpx2.AsyncBaseTransport, url: httpx2.URL) -> None:
        self._transport = transport
        self._origin = _origin(url)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if _origin(request.url) != self._origin:
            host = f"[{request.url.host}]" if ":" in request.url.host else request.url.host
            port = f":{request.url.port}" if request.url.port else ""
            raise ModelError(Fault.REDIRECTED, f"{request.url.scheme}://{host}{port}")
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        await self._transport.aclose()


def _origin(url: httpx2.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _believed(url: str) -> ssl.SSLContext | None:
    """Return what the certificate of a server is checked against; None without TLS, and nothing is read."""
    if not url.lower().startswith("https:"):
        return None
    variable = next((name for name in _CERTIFICATES if os.environ.get(name)), None)
    if variable is None:
        return httpx2.create_ssl_context(trust_env=False)
    place = os.environ[variable]
    are_folders = any(Path(folder).is_dir() for folder in place.split(os.pathsep))
    try:
        return ssl.create_default_context(
            cafile=None if are_folders else place, capath=place if are_folders else None
        )
    except OSError as error:  # ssl.SSLError is one
        raise ModelError(Fault.CERTIFICATES_UNUSABLE, f"{variable}={place}") from error
