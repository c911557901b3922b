"""Requests as they arrived, for tests to look at."""

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
