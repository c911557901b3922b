"""A real HTTP server that speaks OpenAI's protocol, for tests of everything that talks to a model.

`serve()` runs one in a thread; `python -m tests.openai_server --port 8123` runs one as a process, steered by
`POST /control`. It knows Chat Completions (streamed and whole), embeddings and the list of models. What it
answers, how fast, and how it fails are attributes that a test may change at any time.

Without a `text` the answer repeats the beginning of every fenced source of the prompt, so a test can see that the
passages arrived and were numbered.
"""

import argparse
import base64
import contextlib
import dataclasses
import json
import math
import re
import select
import struct
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CHAT_PATH = "/v1/chat/completions"
DIMENSIONS = 256
FENCED = re.compile(r"^\[(\d+)\]\n<<<(\w+)\n([^\n]*)\n\n(.*?)\n\2>>>$", re.DOTALL | re.MULTILINE)
"""How `services/chat/prompt.py` fences a source: number, token, file name, text."""

STATUS_FAULTS: dict[str, tuple[int, str, str, str, dict[str, str]]] = {
    # name: status, type, code, message, headers -- as api.openai.com words them
    "invalid_api_key": (
        401,
        "invalid_request_error",
        "invalid_api_key",
        "Incorrect API key provided: sk-wrong-key-0123456789. You can find your API key in your account.",
        {},
    ),
    "permission_denied": (
        403,
        "invalid_request_error",
        "unsupported_country_region_territory",
        "Country, region, or territory not supported",
        {},
    ),
    "model_not_found": (
        404,
        "invalid_request_error",
        "model_not_found",
        "The model does not exist or you do not have access to it.",
        {},
    ),
    "ollama_model_not_found": (404, "api_error", "", "model 'm' not found, try pulling it first", {}),
    "rate_limit": (
        429,
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached for requests. Please try again in 20s.",
        {"Retry-After": "20"},
    ),
    "insufficient_quota": (
        429,
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
        {},
    ),
    "context_length_exceeded": (
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 8192 tokens.",
        {},
    ),
    "content_policy_violation": (
        400,
        "invalid_request_error",
        "content_policy_violation",
        "Your request was rejected as a result of our safety system.",
        {},
    ),
    "bad_request": (400, "invalid_request_error", "", "Unrecognized request argument supplied.", {}),
    "server_error": (500, "server_error", "", "The server had an error while processing your request.", {}),
}
STREAM_FAULTS = frozenset(
    {
        "drop",  # the connection breaks after `fault_after` tokens
        "hang_midway",  # nothing more comes after `fault_after` tokens
        "hang",  # nothing comes at all, not even a status line
        "error_in_stream",  # an error object instead of the next chunk
        "content_filter",  # ends after `fault_after` tokens with that finish reason
        "hangup",  # the connection is closed before a status line
        "no_done",  # a whole answer, after which the connection stays open
        "cut",  # ends cleanly, but without a finish reason or [DONE]
        "no_route",  # 404 as plain text: the base URL points somewhere else
        "html",  # a web page with status 200: the base URL points somewhere else
        "empty",  # a whole answer without a token
    }
)


@dataclasses.dataclass
class Recorded:
    """One request as it arrived. `left` is set when the client went away before the answer was over."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    left: threading.Event = dataclasses.field(default_factory=threading.Event)
    done: threading.Event = dataclasses.field(default_factory=threading.Event)


class OpenAIServer(ThreadingHTTPServer):
    """The server and its script.

    Attributes:
        text: the answer; None derives one from the prompt.
        delay_s: between two tokens.
        fault: a name of STATUS_FAULTS or STREAM_FAULTS, for every request until set to "".
        faults: faults for the next requests only, first come first; taken before `fault`.
        fault_after: how many tokens are said before a stream fault.
        hold_after: how many tokens are said before the stream waits for `gate`.
        gate: set = streams flow; cleared by `hold()`.
        holding: set while a stream waits at the gate.
        key: when set, any other key gets invalid_api_key.
        requests: what arrived, oldest first.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        super().__init__((host, port), _Handler)
        self.text: str | None = None
        self.delay_s = 0.0
        self.fault = ""
        self.faults: list[str] = []
        self.fault_after = 3
        self.hold_after = 0
        self.gate = threading.Event()
        self.gate.set()
        self.holding = threading.Event()
        self.key = ""
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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: OpenAIServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def do_GET(self) -> None:
        self._record(None)
        if self.path == "/v1/models":
            data = [
                {"id": name, "object": "model", "created": 0, "owned_by": "t"} for name in self.server.models
            ]
            self._json(200, {"object": "list", "data": data})
        else:
            self._raw(404, b"404 page not found", "text/plain")

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(raw) if raw else {}
        if self.path == "/control":
            self._control(body)
            return
        recorded = self._record(body)
        try:
            self._answer(recorded)
        except (ConnectionError, TimeoutError):
            recorded.left.set()
            self.close_connection = True
        finally:
            recorded.done.set()

    def _control(self, script: dict[str, Any]) -> None:
        """Change the script from another process: attributes by name, and `hold`/`release`."""
        for name in ("text", "delay_s", "fault", "faults", "fault_after", "key"):
            if name in script:
                setattr(self.server, name, script[name])
        if "hold" in script:
            self.server.hold(int(script["hold"]))
        if script.get("release"):
            self.server.release()
        bodies = [recorded.body for recorded in self.server.chats]
        self._json(200, {"holding": self.server.holding.is_set(), "chats": bodies})

    def _record(self, body: Any) -> Recorded:
        headers = {name.lower(): value for name, value in self.headers.items()}
        recorded = Recorded(self.command, self.path, headers, body)
        with self.server.arrived:
            self.server.requests.append(recorded)
            self.server.arrived.notify_all()
        return recorded

    def _answer(self, recorded: Recorded) -> None:
        fault = self.server.take_fault()
        if self.server.key and recorded.headers.get("authorization") != f"Bearer {self.server.key}":
            fault = "invalid_api_key"
        if fault in STATUS_FAULTS:
            self._fault(fault)
        elif fault == "html":
            self._raw(200, b"<html><body>It works!</body></html>", "text/html")
        elif fault == "no_route" or not self.path.startswith("/v1/"):
            self._raw(404, b"404 page not found", "text/plain")
        elif fault == "hang":
            self._hang(recorded)
        elif fault == "hangup":
            self.close_connection = True
        elif self.path == CHAT_PATH:
            self._chat(recorded, fault)
        elif self.path == "/v1/embeddings":
            self._embeddings(recorded.body)
        else:
            self._raw(404, b"404 page not found", "text/plain")

    def _fault(self, name: str) -> None:
        status, kind, code, message, headers = STATUS_FAULTS[name]
        error = {"message": message, "type": kind, "param": None, "code": code or None}
        self._json(status, {"error": error}, headers)

    def _json(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        self._raw(status, json.dumps(body).encode(), "application/json", headers)

    def _raw(self, status: int, content: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _hang(self, recorded: Recorded) -> None:
        """Keep silent until the client gives up or the server is closed."""
        self._wait(self.server.closing, recorded)
        self.close_connection = True

    def _wait(self, event: threading.Event, recorded: Recorded) -> None:
        """Wait for `event`, or until the client has gone (then ConnectionResetError)."""
        while not event.wait(0.01):
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(1, 2):  # MSG_PEEK: end of file means it hung up
                recorded.left.set()
                raise ConnectionResetError

    def _chat(self, recorded: Recorded, fault: str) -> None:
        body = recorded.body
        text = "" if fault == "empty" else self.server.text
        if text is None:
            text = derived_answer(body["messages"])
        tokens = re.findall(r"\S+\s*|\s+", text)
        usage = {"prompt_tokens": _words(body), "completion_tokens": len(tokens)}
        usage["total_tokens"] = sum(usage.values())
        if body.get("stream"):
            self._stream(recorded, tokens, usage, fault)
            return
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        self._json(
            200,
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": int(time.time()),
                "model": body["model"],
                "choices": [choice],
                "usage": usage,
            },
        )

    def _stream(self, recorded: Recorded, tokens: list[str], usage: dict[str, int], fault: str) -> None:
        server, body = self.server, recorded.body
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._event(body, {"role": "assistant", "content": ""})
        for index in range(len(tokens) + 1):
            if index == server.hold_after and not server.gate.is_set():
                server.holding.set()
                self._wait(server.gate, recorded)
            if index == server.fault_after and fault and self._break_off(recorded, fault):
                return
            if index < len(tokens):
                self._event(body, {"content": tokens[index]})
                if server.delay_s:
                    server.closing.wait(server.delay_s)
        self._event(body, {}, finish="stop")
        if fault == "no_done":
            self._hang(recorded)
            return
        if (body.get("stream_options") or {}).get("include_usage"):
            self._event(body, None, usage=usage)
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _break_off(self, recorded: Recorded, fault: str) -> bool:
        """Do what a stream fault says; True when the answer is over with it."""
        if fault == "hang_midway":
            self._hang(recorded)
        elif fault == "error_in_stream":
            error = {"message": "The server had an error.", "type": "server_error", "code": None}
            self._chunk(b"data: " + json.dumps({"error": error}).encode() + b"\n\n")
            self._chunk(b"")
        elif fault == "content_filter":
            self._event(recorded.body, {}, finish="content_filter")
            self._chunk(b"data: [DONE]\n\n")
            self._chunk(b"")
        elif fault == "cut":
            self._chunk(b"")
        elif fault == "drop":
            self.close_connection = True  # without the last chunk: the client sees a broken body
        else:
            return False
        return True

    def _event(
        self,
        body: dict[str, Any],
        delta: dict[str, Any] | None,
        finish: str | None = None,
        usage: dict[str, int] | None = None,
    ) -> None:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        event = {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": body["model"],
            "choices": choices,
        }
        if usage is not None:
            event["usage"] = usage
        self._chunk(b"data: " + json.dumps(event).encode() + b"\n\n")

    def _chunk(self, content: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))

    def _embeddings(self, body: dict[str, Any]) -> None:
        given = body["input"]
        texts = [given] if isinstance(given, str) else given
        if not texts or not all(isinstance(text, str) and text for text in texts):
            self._fault("bad_request")
            return
        encode = _base64 if body.get("encoding_format") == "base64" else list
        data = [
            {"object": "embedding", "index": index, "embedding": encode(embedding(text))}
            for index, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
        self._json(200, {"object": "list", "data": data, "model": body["model"], "usage": usage})


def _words(body: dict[str, Any]) -> int:
    return sum(len(str(message["content"]).split()) for message in body["messages"])


def _base64(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def embedding(text: str) -> list[float]:
    """A unit vector of DIMENSIONS from the text's character trigrams: alike texts lie near each other."""
    padded = f"  {text.lower()} "
    vector = [0.0] * DIMENSIONS
    for start in range(len(padded) - 2):
        digest = zlib.crc32(padded[start : start + 3].encode())
        vector[digest % DIMENSIONS] += 1.0 if digest & 0x8000_0000 else -1.0
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


def derived_answer(messages: Sequence[dict[str, Any]]) -> str:
    """Repeat the first 120 characters of each fenced source of the last message, with its number and file name."""
    prompt = str(messages[-1]["content"])
    found = FENCED.findall(prompt)
    if not found:
        return "None of the files says anything about this."
    return "\n".join(
        f"{title} says: {' '.join(text.split())[:120]} [{number}]" for number, _, title, text in found
    )


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


def main() -> None:
    """Run as a process; the first line of output is the base URL."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.openai_server", description="OpenAI's protocol, locally"
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--text")
    parser.add_argument("--delay-s", type=float, default=0.0)
    parser.add_argument("--fault", default="", choices=["", *STATUS_FAULTS, *sorted(STREAM_FAULTS)])
    parser.add_argument("--fault-after", type=int, default=3)
    parser.add_argument("--hold-after", type=int, help="say so many tokens, then wait for POST /control")
    parser.add_argument("--key", default="")
    options = parser.parse_args()
    server = OpenAIServer(options.port)
    server.text, server.delay_s, server.key = options.text, options.delay_s, options.key
    server.fault, server.fault_after = options.fault, options.fault_after
    if options.hold_after is not None:
        server.hold(options.hold_after)
    print(server.base_url, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever(0.05)


if __name__ == "__main__":
    main()
