"""Requests as they arrived, for tests to look at; and answers byte for byte, for tests to give."""

import dataclasses
import threading
from typing import Any

CHAT_PATH = "/v1/chat/completions"


@dataclasses.dataclass
class Recorded:
    """One request as it arrived. `left` is set when the client went away before the answer was over."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    left: threading.Event = dataclasses.field(default_factory=threading.Event)
    done: threading.Event = dataclasses.field(default_factory=threading.Event)


@dataclasses.dataclass(frozen=True)
class Raw:
    """An answer byte for byte. `cuts`: it is sent in pieces that end at these bytes."""

    body: bytes
    status: int = 200
    kind: str = "text/event-stream"
    cuts: tuple[int, ...] = ()
