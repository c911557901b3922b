"""The HTTP client for one endpoint: its origin, the proxy that leads there, the certificates to trust.

It imports the HTTP library, which takes a while: `client` imports this in a thread.
"""

import contextlib
import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2

from titan_desktop.adapters.openai.proxies import proxy_for
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import ModelError
from titan_desktop.settings import shown_url

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Where people name the certificates of their company, for OpenSSL, requests and curl; the first one counts."""

BODY_BYTES_MAX = 64_000_000
"""Of one answer, unpacked: 200,000 streamed tokens, ten times the vectors of the largest batch."""
REFUSAL_BYTES_MAX = 64_000
"""Of what an endpoint says with an error's status; the rest of it is not read."""


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
        transport=_OneOrigin(_Bounding(transport), url),
        trust_env=False,
        follow_redirects=True,
        max_redirects=5,
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


class _Bounding(httpx2.AsyncBaseTransport):
    """Lets no body go on without end: the package reads an error, a list and vectors whole into memory."""

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._transport.handle_async_request(request)
        headers = response.headers.copy()
        for name in ("content-encoding", "content-length"):  # of the packed body
            headers.pop(name, None)
        return httpx2.Response(
            response.status_code, headers=headers, stream=_Bounded(response), extensions=response.extensions
        )

    async def aclose(self) -> None:
        await self._transport.aclose()


class _Bounded(httpx2.AsyncByteStream):
    """A response's body, unpacked. One that is a refusal is cut, any other fails: half of it would mislead."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        is_refusal = not self._response.is_success
        room = REFUSAL_BYTES_MAX if is_refusal else BODY_BYTES_MAX
        async with contextlib.aclosing(self._response.aiter_bytes()) as pieces:
            async for piece in pieces:
                yield piece[:room]
                room -= len(piece)
                if room < 0 and not is_refusal:
                    raise ModelError(Fault.MALFORMED, f"more than {BODY_BYTES_MAX} bytes")
                if room <= 0 and is_refusal:
                    return

    async def aclose(self) -> None:
        await self._response.aclose()


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
