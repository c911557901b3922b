"""One connection to the server: requests in, answers, streams and faults out."""

import base64
import contextlib
import json
import select
import struct
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from tests.openai_server.answers import call_deltas, derived_answer, embedding, refusal, tokens
from tests.openai_server.faults import STATUS_FAULTS
from tests.openai_server.recorded import CHAT_PATH, Raw, Recorded

if TYPE_CHECKING:
    from tests.openai_server.server import OpenAIServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "OpenAIServer"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def do_GET(self) -> None:
        recorded = self._record(None)
        if self.server.hang_lists:
            with contextlib.suppress(ConnectionError):
                self._hang(recorded)
        elif (page := self.server.pages.get(f"GET {self.path}")) is not None:
            self._json(200, page)
        elif self.path == "/v1/models":
            data = [
                {"id": name, "object": "model", "created": 0, "owned_by": "t", **self.server.lists}
                for name in self.server.models
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
        if self.server.redirect is not None and not self.path.startswith("/v1/moved/"):
            status, location = self.server.redirect
            self._raw(status, b"", "text/plain", {"Location": location})
            return
        self.path = self.path.replace("/moved/", "/")
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
        page = self.server.pages.get(f"POST {self.path}")
        if page is not None:
            self._json(200, page)
        elif self.path.startswith("/v1/"):
            self._answer_model(recorded)
        else:
            self._bytes(self.server.elsewhere)

    def _answer_model(self, recorded: Recorded) -> None:
        fault = self.server.take_fault()
        if self.server.key and recorded.headers.get("authorization") != f"Bearer {self.server.key}":
            fault = "invalid_api_key"
        if fault in STATUS_FAULTS:
            self._fault(fault)
        elif fault == "html":
            self._raw(200, b"<html><body>It works!</body></html>", "text/html")
        elif fault == "no_route":
            self._raw(404, b"404 page not found", "text/plain")
        elif self.path == CHAT_PATH and self.server.raw and not fault:
            self._bytes(self.server.raw.pop(0))
        elif fault in {"hang", "hangup"}:
            self.close_connection = fault == "hangup" or self._hang(recorded)
        elif refused := refusal(recorded.body, self.server.refuses):
            self._json(400, refused)
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

    def _bytes(self, raw: Raw) -> None:
        """Send an answer piece by piece."""
        self.send_response(raw.status)
        self.send_header("Content-Type", raw.kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        ends = (*raw.cuts, len(raw.body))
        for start, end in zip((0, *ends), ends, strict=False):
            if start < end:
                self._chunk(raw.body[start:end])
        self._chunk(b"")

    def _hang(self, recorded: Recorded) -> bool:
        """Keep silent until the client gives up or the server is closed."""
        self._wait(self.server.closing, recorded)
        self.close_connection = True
        return True

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
            text = derived_answer(body)
        fields = self.server.reasoning_fields
        deltas = [dict.fromkeys(fields, token) for token in tokens(self.server.reasoning)]
        thoughts = len(deltas)
        if body.get("tools") and self.server.tool_calls:
            deltas += call_deltas(self.server.tool_calls, whole=self.server.whole_calls)
            finish = "tool_calls"
        else:
            deltas += [{"content": token} for token in tokens(text)]
            finish = "stop"
        usage = {
            "prompt_tokens": _words(body),
            "completion_tokens": len(deltas),
            "completion_tokens_details": {"reasoning_tokens": thoughts},
        }
        if body.get("stream"):
            self._stream(recorded, deltas, finish, usage, fault)
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

    def _stream(
        self, recorded: Recorded, deltas: list[dict[str, Any]], finish: str, usage: dict[str, Any], fault: str
    ) -> None:
        server, body = self.server, recorded.body
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._event(body, {"role": "assistant", "content": ""})
        for index in range(len(deltas) + 1):
            if index == server.hold_after and not server.gate.is_set():
                server.holding.set()
                self._wait(server.gate, recorded)
            if index == server.fault_after and fault and self._break_off(recorded, fault):
                return
            if index < len(deltas):
                self._event(body, deltas[index])
                if server.delay_s:
                    server.closing.wait(server.delay_s)
        self._event(body, {}, finish="length" if fault == "length" else finish)
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
        usage: dict[str, Any] | None = None,
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
