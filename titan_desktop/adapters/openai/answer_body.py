"""Reads the body of an answer with status 200, whatever it is, and yields the JSON objects in it.

It should be an event stream. It may be one whole answer, an error, a web page or a line of text: the address leads
elsewhere, a gateway does not stream, or the server noticed the error late. The content type is unreliable, so the
first bytes decide.
"""

import codecs
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from typing import Any

from titan_desktop.adapters.openai import refusal
from titan_desktop.adapters.openai.errors import fault_told, translated, wrong_address
from titan_desktop.adapters.openai.server_events import EventDecoder, EventTooLongError, ServerEvent
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import Endpoint, ModelError

WHOLE_BYTES_MAX = 2_000_000
HEAD_BYTES_MAX = 2_000
"""So much of a body that is none of the known is kept for what it says."""

_DONE = "[DONE]"


class AnswerBody:
    """Reads one body.

    Attributes:
        is_complete: its end was marked, by `[DONE]` or because it came in one piece.
    """

    def __init__(self, endpoint: Endpoint, pieces: AsyncIterator[bytes]) -> None:
        self.is_complete = False
        self._endpoint = endpoint
        self._pieces = pieces
        self._decoder = EventDecoder()
        self._head = b""
        self._remark = ""
        self._is_answer = False

    async def objects(self) -> AsyncGenerator[Mapping[str, Any], None]:
        """Yield the stream's objects, an empty one for its marked end, or the one that the whole body is.

        Raises:
            ModelError: the body says an error, or is no answer.
        """
        is_whole: bool | None = None
        whole: list[bytes] = []
        size = 0
        async for piece in self._read():
            content = piece
            if is_whole is None:
                self._head += piece
                start = self._head.removeprefix(codecs.BOM_UTF8).lstrip()
                is_open = not start or codecs.BOM_UTF8.startswith(self._head)
                if is_open and len(self._head) <= HEAD_BYTES_MAX:
                    continue
                is_whole = start[:1] in {b"{", b"[", b"<"}
                content = self._head
            elif len(self._head) < HEAD_BYTES_MAX:
                self._head += piece
            if is_whole:
                whole.append(content)
                size += len(content)
                if size > WHOLE_BYTES_MAX:
                    raise ModelError(Fault.MALFORMED, f"more than {WHOLE_BYTES_MAX} bytes in one piece")
            else:
                for found in self._decoded(content):
                    yield found
        for found in self._read_whole(b"".join(whole)) if is_whole else self._decoded(None):
            yield found
        if not self._is_answer and (words := self._words()):
            raise wrong_address(self._endpoint, words)

    async def _read(self) -> AsyncGenerator[bytes, None]:
        with translated(self._endpoint):
            async for piece in self._pieces:
                yield piece

    def _decoded(self, piece: bytes | None) -> Iterator[Mapping[str, Any]]:
        """Yield the objects of the events that end with this piece, or, for None, with the body."""
        try:
            for event in self._decoder.finish() if piece is None else self._decoder.feed(piece):
                if (found := self._read_event(event)) is not None:
                    yield found
        except EventTooLongError as error:
            raise ModelError(Fault.MALFORMED, type(error).__name__) from error

    def _read_event(self, event: ServerEvent) -> Mapping[str, Any] | None:
        data = event.data.strip()
        if data[: len(_DONE)].upper() == _DONE:
            self.is_complete = self._is_answer = True
            return {}
        if event.name == "error":
            raise fault_told(self._endpoint, refusal.of_event(data))
        if not data.startswith(
            ("{", "[")
        ):  # "ping", "keep-alive"; or, if nothing else comes, all there is to tell
            self._remark = self._remark or data
            return None
        return self._read_object(data)

    def _read_whole(self, body: bytes) -> Iterator[Mapping[str, Any]]:
        text = body.decode("utf-8-sig", "replace").strip()
        if text.startswith("<"):
            return
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        if len(lines) > 1 and all(line.startswith("{") and line.endswith("}") for line in lines):
            for line in lines:  # a stream of objects, a line each
                if (found := self._read_object(line)) is not None:
                    yield found
            return
        found = self._read_object(text)
        if found is not None and "choices" in found:
            self.is_complete = self._is_answer = True
            yield found

    def _read_object(self, text: str) -> Mapping[str, Any] | None:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ModelError(Fault.MALFORMED, type(error).__name__) from error
        if (told := refusal.of_object(found)) is not None:
            raise fault_told(self._endpoint, told)
        if not isinstance(found, Mapping):
            return None
        self._is_answer = self._is_answer or "choices" in found
        return found

    def _words(self) -> str:
        """Return what a body that is no answer says."""
        head = self._head[:HEAD_BYTES_MAX].decode("utf-8-sig", "replace")
        return self._remark or refusal.read(head, 0).message
