"""Where a question may go: to its own origin, past no redirect, through the proxy that is meant."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.openai_server import OpenAIServer, serve
from tests.socks_server import serve_socks
from titan_desktop.adapters.openai.embedder import OpenAIEmbedder
from titan_desktop.adapters.openai.model import OpenAIChatModel
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import Endpoint, ModelError, Text, Turn

REMOTE = "http://model.example/v1"
ACCOUNT = ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_CUSTOM_HEADERS")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("http", "https", "all", "no"):
        for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
            monkeypatch.delenv(name, raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with serve(text="yes") as server:
        yield server


@pytest.fixture
def other() -> Iterator[OpenAIServer]:
    with serve(text="stolen") as server:
        yield server


async def ask(base_url: str, key: str = "sk-mine") -> str:
    model = OpenAIChatModel(connect_timeout_s=5)
    try:
        parts = [part async for part in model.stream(Endpoint(base_url, "m", key), [Turn("user", "?")])]
    finally:
        await model.close()
    return "".join(part.text for part in parts if isinstance(part, Text))


async def embed(base_url: str) -> None:
    embedder = OpenAIEmbedder(Endpoint(base_url, "m", "sk-mine"))
    try:
        await embedder.embed_passages(["a passage"])
    finally:
        await embedder.close()


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_question_follows_a_redirect_to_another_origin(
    server: OpenAIServer, other: OpenAIServer, status: int
) -> None:
    """Another port of the same host is another origin. Nothing arrives there, and the person reads where it is."""
    server.redirect = (status, f"{other.base_url}/chat/completions")
    for asking in (ask, embed):
        with pytest.raises(ModelError) as caught:
            await asking(server.base_url)
        assert caught.value.fault is Fault.REDIRECTED
        assert caught.value.detail == other.base_url.removesuffix("/v1")
    assert not other.requests


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("//elsewhere.example/v1", "http://elsewhere.example"),
        ("https://user:secret@[::1]:8443/v1?key=secret", "https://[::1]:8443"),
        ("https://127.0.0.1/", "https://127.0.0.1"),
    ],
)
async def test_what_is_told_of_the_other_origin_holds_no_secret(
    server: OpenAIServer, location: str, told: str
) -> None:
    """Neither a user nor a query; a relative address with a host of its own is another origin, too."""
    server.redirect = (307, location)
    with pytest.raises(ModelError) as caught:
        await ask(server.base_url)
    assert (caught.value.fault, caught.value.detail) == (Fault.REDIRECTED, told)


async def test_a_redirect_within_the_origin_is_followed(server: OpenAIServer) -> None:
    """As a server does that puts a slash behind an address."""
    server.redirect = (307, "/v1/moved/chat/completions")
    assert await ask(server.base_url) == "yes"
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer sk-mine"] * 2


async def test_the_account_in_the_environment_is_told_to_its_own_origin_alone(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Organisation, project and headers of one's own belong to the address that the key of the environment has."""
    for name, value in zip(ACCOUNT, ("org-1", "proj-1", "X-Gateway: secret"), strict=True):
        monkeypatch.setenv(name, value)
    await ask(server.base_url)
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    await ask(server.base_url)
    names = ("openai-organization", "openai-project", "x-gateway")
    told = [[request.headers.get(name) for name in names] for request in server.requests]
    assert told == [[None, None, None], ["org-1", "proj-1", "secret"]]


# Addresses


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://user:sec:ret@127.0.0.1:1/v1", "http://127.0.0.1:1/v1"),
        ("http://user:sec/ret@127.0.0.1:1/v1", "http://127.0.0.1:1/v1"),
        ("http://127.0.0.1:1/v1?api-key=secret", "http://127.0.0.1:1/v1"),
        ("http://127.0.0.1:1/v1#secret", "http://127.0.0.1:1/v1"),
        ("user:secret@127.0.0.1:1", "127.0.0.1:1"),
        ("ftp://127.0.0.1/v1", "ftp://127.0.0.1/v1"),
        ("http://☃.example/v1", "http://☃.example/v1"),
    ],
)
async def test_an_address_that_cannot_be_used_is_told_without_its_secret(address: str, told: str) -> None:
    with pytest.raises(ModelError) as caught:
        await ask(address)
    assert (caught.value.fault, caught.value.detail) == (Fault.BAD_ADDRESS, told)
    assert "secret" not in repr(Endpoint(address, "m"))


async def test_a_server_that_asks_for_a_key_and_gets_none_is_told_from_one_that_refuses_it(
    server: OpenAIServer,
) -> None:
    """Then the person is asked, once, whose key it gets: none is sent there on a guess."""
    server.key = "sk-local"
    for key, fault in (("", Fault.KEY_MISSING), ("sk-other", Fault.WRONG_KEY)):
        with pytest.raises(ModelError) as caught:
            await ask(server.base_url, key)
        assert caught.value.fault is fault


# Proxies


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "Localhost"])
async def test_this_machine_is_reached_directly(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Whatever the environment says: a proxy elsewhere would look on its own machine."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "socks4://127.0.0.1:1")
    assert await ask(server.base_url.replace("127.0.0.1", host)) == "yes"


async def test_a_proxy_is_asked_for_what_is_elsewhere(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the environment names another one of a kind that is not known, which leads elsewhere."""
    monkeypatch.setenv("HTTP_PROXY", server.base_url.removesuffix("/v1").removeprefix("http://"))
    monkeypatch.setenv("ALL_PROXY", "socks4://127.0.0.1:1")
    with pytest.raises(ModelError):  # the test's server is no proxy
        await ask(REMOTE)
    assert server.requests[0].path == f"{REMOTE}/chat/completions"


@pytest.mark.parametrize("kind", ["socks", "socks5", "socks5h"])
async def test_socks_leads_to_the_model(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Desktops write `socks://`. The proxy is given the name, so that it is looked up where the proxy stands."""
    with serve_socks(server.server_address[:2]) as proxy:  # type: ignore[arg-type]
        monkeypatch.setenv("all_proxy", f"{kind}://127.0.0.1:{proxy.server_address[1]}/")
        assert await ask(REMOTE) == "yes"
    assert proxy.asked == [("model.example", 80)]


@pytest.mark.parametrize(
    ("proxy", "told"),
    [
        ("socks4://user:secret@proxy.example:1080", "socks4://proxy.example:1080"),
        ("http://user:se#cret@proxy.example", "http://proxy.example"),
        ("proxy.example:99999", "http://proxy.example:99999"),
        ("http://", "http://"),
    ],
)
async def test_a_proxy_that_cannot_be_used_is_told_by_name(
    monkeypatch: pytest.MonkeyPatch, proxy: str, told: str
) -> None:
    """With its variable, for that is what has to be corrected, and without its password."""
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(ModelError) as caught:
        await ask(REMOTE)
    assert (caught.value.fault, caught.value.detail) == (Fault.PROXY_UNUSABLE, f"ALL_PROXY={told}")


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_a_proxy_that_is_away_is_named(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Or the person would look for the fault at the model's server."""
    monkeypatch.setenv("HTTP_PROXY", f"{kind}://user:secret@127.0.0.1:1")
    with pytest.raises(ModelError) as caught:
        await ask(REMOTE)
    assert caught.value.fault is Fault.UNREACHABLE
    assert caught.value.detail.startswith(f"HTTP_PROXY={kind}://127.0.0.1:1: ")
    assert "secret" not in caught.value.detail


@pytest.mark.parametrize(
    ("base_url", "exempt", "direct"),
    [
        ("http://gpu.lan:8000/v1", "gpu.lan", True),
        ("http://gpu.lan:8000/v1", ".lan", True),
        ("http://gpu.lan:8000/v1", "*.lan", True),
        ("http://gpu.lan:8000/v1", "other, GPU.LAN:8000", True),
        ("http://gpu.lan:8000/v1", "gpu.lan:80", False),
        ("http://gpu.lan:8000/v1", "pu.lan", False),
        ("http://gpu.lan:8000/v1", "*", True),
        ("http://192.168.7.9/v1", "192.168.0.0/16", True),
        ("http://192.168.7.9/v1", "10.0.0.0/8", False),
        ("http://[fd00::7]/v1", "[fd00::7]", True),
        ("http://[fd00::7]:80/v1", "[fd00::7]:80", True),
        ("http://[fd00::7]/v1", "fd00::7", True),
        ("http://[fd00::7]/v1", "[fd00::]/8", True),
        ("http://[fd00::7]/v1", "fd00::/8", True),
        ("http://gpu.lan/v1", "[::1, [::1]]:x, 1.2.3.4/99, ::/x, %, @:@, ://, :, [", False),
    ],
)
def test_no_proxy_in_all_its_forms(
    monkeypatch: pytest.MonkeyPatch, base_url: str, exempt: str, *, direct: bool
) -> None:
    """Names, domains, addresses, networks, brackets and ports; what makes no sense exempts nothing."""
    from titan_desktop.adapters.openai.proxies import proxy_for

    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", exempt)
    assert (proxy_for(base_url) is None) is direct


# Certificates


@pytest.mark.parametrize(
    "variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
)
async def test_certificates_that_are_missing_are_told_by_name(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    """A server that shows no certificate is reached all the same."""
    monkeypatch.setenv(variable, str(tmp_path / "gone.pem"))
    assert await ask(server.base_url) == "yes"
    with pytest.raises(ModelError) as caught:
        await ask("https://model.example/v1")
    assert caught.value.fault is Fault.CERTIFICATES_UNUSABLE
    assert caught.value.detail == f"{variable}={tmp_path / 'gone.pem'}"
    (tmp_path / "gone.pem").write_text("no certificate")
    with pytest.raises(ModelError, match="certificates_unusable"):
        await ask("https://model.example/v1")
