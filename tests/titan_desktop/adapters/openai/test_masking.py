"""What is kept of an endpoint's words: one line, bounded, and the key in no shape."""

import base64
import codecs
from urllib.parse import quote

import pytest

from tests.openai_server import serve
from titan_desktop.adapters.openai.errors import translated
from titan_desktop.adapters.openai.masking import CHARS_MAX, masked
from titan_desktop.adapters.openai.model import OpenAIChatModel
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import Endpoint, ModelError, Turn

KEY = "Zq7/secret+w0rd=Key.42"
ENDPOINT = Endpoint("http://127.0.0.1:1/v1", "m", KEY)


def in_base64(text: str, before: str = "") -> str:
    return base64.b64encode((before + text).encode()).decode()


@pytest.mark.parametrize(
    "told",
    [
        KEY,
        KEY.upper(),
        KEY.swapcase(),
        quote(KEY, safe=""),
        quote(quote(KEY, safe=""), safe=""),
        "".join(f"%{byte:02x}" for byte in KEY.encode()),
        "".join(f"&#{ord(letter)};" for letter in KEY),
        in_base64(KEY),
        in_base64(KEY).rstrip("="),
        base64.urlsafe_b64encode(KEY.encode()).decode(),
        *(in_base64(KEY, before) for before in ("u:", "user:", "Bearer ")),
        f"api_key={in_base64(KEY)}&x=1",
        in_base64(in_base64(KEY)),
        KEY.encode().hex(),
        KEY.encode().hex().upper(),
        "".join(f"\\x{byte:02x}" for byte in KEY.encode()),
        "".join(f"\\u{ord(letter):04x}" for letter in KEY),
        KEY[:9] + "****",
        "****" + KEY[-9:],
        "/v1/" + quote(KEY) + "/chat",
    ],
)
def test_the_key_is_masked_in_every_shape(told: str) -> None:
    said = masked(f"Not accepted: '{told}', model \"gpt-4.1-mini-2025\" is known.", ENDPOINT)
    assert "…" in said
    assert said.startswith("Not accepted: ")
    assert said.endswith('model "gpt-4.1-mini-2025" is known.')
    assert told not in said
    assert "secret" not in said.lower()


LONG = "gw" + "A7b3K9x2" * 4


@pytest.mark.parametrize(
    "told", [LONG[::-1], codecs.encode(LONG, "rot13"), base64.b32encode(LONG.encode()).decode().rstrip("=")]
)
def test_a_key_that_was_changed_in_another_way_is_masked(told: str) -> None:
    """So many letters and digits in a row are no word; a request's number is lost with them."""
    assert masked(f"upstream {told} refused", Endpoint("http://a/v1", "m", LONG)) == "upstream … refused"


@pytest.mark.parametrize(
    "told", ["sk-proj-abc123DEF", "SK-LIVE_0123456", "gsk_abcdef123456", "Bearer abc.def"]
)
def test_somebody_elses_key_is_masked(told: str) -> None:
    """A gateway may tell its own."""
    assert (
        masked(f"upstream refused {told} today", Endpoint("http://a/v1", "m")) == "upstream refused … today"
    )


@pytest.mark.parametrize("key", ["", "x", "none", "EMPTY"])
def test_a_key_that_is_none_masks_no_sentence(key: str) -> None:
    """People type one where a local server asks for anything at all."""
    said = 'model "qwen2.5-coder:32b-instruct-q4_K_M" not found, try pulling it first'
    assert masked(said, Endpoint("http://a/v1", "m", key)) == said


def test_one_bounded_line_is_kept() -> None:
    said = masked("\n\n502 Bad Gateway\n<html>" + "x" * 10_000, ENDPOINT)
    assert said == "502 Bad Gateway"
    assert len(masked("word " * 100_000, ENDPOINT)) == CHARS_MAX
    assert masked("", ENDPOINT) == ""


async def test_an_error_of_the_server_is_masked() -> None:
    """Through the adapter: what reaches the answer, the store and the log."""
    model = OpenAIChatModel()
    with serve(fault="invalid_api_key") as server, pytest.raises(ModelError) as caught:
        async for _ in model.stream(
            Endpoint(server.base_url, "m", "SK-WRONG-KEY-0123456789"), [Turn("user", "?")]
        ):
            pass
    await model.close()
    assert "Incorrect API key provided: … You can" in caught.value.detail


def test_no_error_leaves_the_adapter_unmasked() -> None:
    """Whoever reads an answer may raise with its words: a model's own refusal, for one."""
    with pytest.raises(ModelError) as caught, translated(ENDPOINT):
        raise ModelError(Fault.REFUSED, f"I will not tell {KEY.upper()}.\n" + "x" * 9_000, retry_after_s=2)
    assert (caught.value.detail, caught.value.retry_after_s) == ("I will not tell …", 2)
    assert KEY.upper() not in f"{caught.value}"
