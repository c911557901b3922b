"""What the core and the worker say to each other: frames of a length and MessagePack (https://msgpack.org).

One text a request, so that a question never waits for more than the passage that is just being computed, and so
that a worker's death names the text that caused it.
"""

import msgspec

LENGTH_BYTES = 4
FRAME_BYTES_MAX = 1024 * 1024
"""Far more than the longest text or a vector; what says more is not ours."""


class Ask(msgspec.Struct, frozen=True, array_like=True):
    """A text to be embedded; `number` is repeated in the answer. A question goes before waiting passages."""

    number: int
    is_question: bool
    text: str


class Vector(msgspec.Struct, frozen=True, array_like=True):
    """The answer: `numbers` are float32, little-endian."""

    number: int
    numbers: bytes


class Ready(msgspec.Struct, frozen=True, array_like=True):
    """The first frame: the model is loaded. `open_means` are the means of confinement that are missing."""

    open_means: tuple[str, ...]


encode = msgspec.msgpack.encode
ask_of = msgspec.msgpack.Decoder(Ask).decode
vector_of = msgspec.msgpack.Decoder(Vector).decode
ready_of = msgspec.msgpack.Decoder(Ready).decode


def framed(message: Ask | Vector | Ready) -> bytes:
    """Return a message as it travels."""
    body = encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body
