"""The server and its script: what it answers, how fast, and how it fails."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from http.server import ThreadingHTTPServer
from typing import Any

from tests.openai_server.handler import Handler
from tests.openai_server.recorded import CHAT_PATH, Raw, Recorded


class OpenAIServer(ThreadingHTTPServer):
    """The server and its script.

    Attributes:
        text: the answer; None derives one from the prompt.
        reasoning: what the model thinks before it answers.
        reasoning_fields: where it is said: "reasoning_content", "reasoning", or both.
        tool_calls: what the answer calls, (name, arguments), when the request offers tools; then there is no text.
        whole_calls: each call comes in one piece under index 0, as from Ollama; otherwise in fragments, mixed.
        refuses: parameters that this server does not take: "stream_options", "json_schema", "json_object".
        raw: answers to chat requests byte for byte, first come first; taken before everything but the faults.
        elsewhere: the answer to any path outside of /v1.
        lists: more fields of each entry of the list of models.
        pages: answers to other paths: "POST /api/show" -> the object.
        hang_lists: the list of models is never sent.
        delay_s: between two tokens.
        fault: a name of STATUS_FAULTS or STREAM_FAULTS, for every request until set to "".
        faults: faults for the next requests only, first come first; taken before `fault`.
        fault_after: how many tokens are said before a stream fault.
        hold_after: how many tokens are said before the stream waits for `gate`.
        gate: set = streams flow; cleared by `hold()`.
        holding: set while a stream waits at the gate.
        key: when set, any other key gets invalid_api_key.
        redirect: status and location with which every request is sent on, once its body is read.
        requests: what arrived, oldest first.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        super().__init__((host, port), Handler)
        self.text: str | None = None
        self.reasoning = ""
        self.reasoning_fields: Sequence[str] = ("reasoning_content",)
        self.tool_calls: Sequence[tuple[str, str]] = ()
        self.whole_calls = False
        self.refuses: Sequence[str] = ()
        self.raw: list[Raw] = []
        self.elsewhere = Raw(b"404 page not found", 404, "text/plain")
        self.lists: dict[str, Any] = {}
        self.pages: dict[str, Any] = {}
        self.hang_lists = False
        self.delay_s = 0.0
        self.fault = ""
        self.faults: list[str] = []
        self.fault_after = 3
        self.hold_after = 0
        self.gate = threading.Event()
        self.gate.set()
        self.holding = threading.Event()
        self.key = ""
        self.redirect: tuple[int, str] | None = None
        self.models: Sequence[str] = ("gpt-4.1-mini", "text-embedding-3-large")
        self.requests: list[Recorded] = []
        self.arrived = threading.Condition()
        self.closing = threading.Event()

    @property
    def base_url(self) -> str:
        """What goes into the settings: `http://127.0.0.1:PORT/v1`."""
        return f"http://{self.server_address[0]}:{self.server_address[1]}/v1"

    @property
    def chats(self) -> list[Recorded]:
        """The requests for a chat completion."""
        return [request for request in self.requests if request.path == CHAT_PATH]

    def hold(self, after: int = 0) -> None:
        """Let every stream say `after` tokens and then wait until `release()`."""
        self.hold_after = after
        self.holding.clear()
        self.gate.clear()

    def release(self) -> None:
        """Let the streams go on."""
        self.gate.set()

    def wait_for_chats(self, count: int, timeout_s: float = 10.0) -> list[Recorded]:
        """Block (use `asyncio.to_thread`) until `count` chat requests have arrived."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.chats) >= count, timeout_s), (
                f"{len(self.chats)} of {count} chat requests arrived in {timeout_s} s"
            )
        return self.chats

    def take_fault(self) -> str:
        """Return the fault for the request at hand."""
        return self.faults.pop(0) if self.faults else self.fault

    def close(self) -> None:
        """End every stream and the server."""
        self.closing.set()
        self.gate.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no error here."""


@contextlib.contextmanager
def serve(*, port: int = 0, **script: Any) -> Iterator[OpenAIServer]:
    """Run a server in a thread; keyword arguments set its attributes (`text=`, `fault=`, `delay_s=` …)."""
    server = OpenAIServer(port)
    for name, value in script.items():
        assert hasattr(server, name), f"the server has no attribute {name}"
        setattr(server, name, value)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="openai-server", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(5)
