"""What runs in a worker process: reads files that the core has opened, and says what their blocks are.

It has no root, no file names, no key and no socket. It imports what parsers need, confines itself
(`ports.sandbox`), and only then reads the first foreign byte.
"""

import os
import signal
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from titan_desktop.adapters.extraction import messages
from titan_desktop.adapters.extraction.descriptors import Receiver
from titan_desktop.adapters.extraction.limits import Limits, hold, watch
from titan_desktop.adapters.extraction.members import Bounds
from titan_desktop.adapters.extraction.reading import Reading
from titan_desktop.adapters.sandbox import SystemSandbox
from titan_desktop.adapters.sandbox.attempts import attempts
from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.extractor import Block, Extracted, ExtractionError

if TYPE_CHECKING:
    from titan_desktop.ports.sandbox import Sandbox

Reader = Callable[[BinaryIO, str, Limits], Extracted]
"""Takes an open file, its extension and the limits. Raises ExtractionError, MemoryError, OSError."""


def main(arguments: Sequence[str]) -> int:
    """Serve the core at standard input, or with `--prepare` lay down what parsers unpack for themselves."""
    if list(arguments) == [messages.PREPARE]:
        from titan_desktop.adapters.extraction import documents

        documents.unpack()
        return 0
    return serve(read_file, _load)


def serve(reader: Reader, load: Callable[[], None]) -> int:
    """Answer requests until the core closes its end."""
    answer = _answering()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal goes to the whole group
    receiver = Receiver()
    received = receiver.receive()
    if received is None or not isinstance(received[0], messages.Setup):
        return 1
    setup = received[0]
    hold(setup.limits, setup.parent)
    load()
    begin_watch = watch(setup.limits, setup.parent)
    sandbox: Sandbox = SystemSandbox()
    mechanisms = sandbox.close([*map(Path, setup.readable), *_libraries()])
    begin_watch()  # after it: a thread that runs already would stay outside
    answer(messages.Ready(mechanisms))
    while (received := receiver.receive()) is not None:
        match received:
            case messages.Read(extension=extension), int(descriptor):
                for message in _read_in_full(reader, descriptor, extension, setup.limits):
                    answer(message)
            case messages.Try(outside=outside), _:
                answer(messages.Tried(attempts(Path(outside))))
    return 0


def _answering() -> Callable[[messages.Message], None]:
    """Return what sends a message. Native code that prints to standard output would print into the answers."""
    pipe = os.dup(1)
    os.dup2(2, 1)

    def answer(message: messages.Message) -> None:
        rest = memoryview(messages.framed(message))
        while rest:
            rest = rest[os.write(pipe, rest) :]

    return answer


def _load() -> None:
    """Import what parsers need, heavy or late: afterwards only libraries can be read, and no file written."""
    import charset_normalizer  # noqa: F401

    from titan_desktop.adapters.extraction import disguises, documents, mail, pictures  # noqa: F401


def _libraries() -> list[Path]:
    """Return the folders of this interpreter and of the packages that it has imported."""
    if getattr(sys, "frozen", False):
        return [Path(sys.executable).parent]
    packages = {
        Path(path)
        for name, module in tuple(sys.modules.items())
        if "." not in name
        for path in getattr(module, "__path__", ())
    }
    return [Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("platstdlib")), *sorted(packages)]


def _read_in_full(
    reader: Reader, descriptor: int, extension: str, limits: Limits
) -> Iterator[messages.Message]:
    """Yield a file's blocks and its end, or why it has none."""
    try:
        with os.fdopen(descriptor, "rb") as file:
            found = reader(file, extension, limits)
    except ExtractionError as error:
        yield messages.Failed(error.reason, messages.one_line(error.detail))
    except MemoryError:
        yield messages.Failed(Reason.OUT_OF_MEMORY)
    except OSError as error:
        yield messages.Failed(Reason.UNREADABLE, error.strerror or "")
    except Exception as error:  # noqa: BLE001 - the last supervisor: a parser may raise what it likes
        yield messages.Failed(Reason.CRASHED, type(error).__name__)
    else:
        kept = tuple(within(found.blocks, limits))
        for block in kept:
            place = block.place if messages.is_possible(block.place) else None
            yield messages.Part(block.text, place, block.kind)
        if kept:
            gap = found.gap if kept == found.blocks else Reason.CUT
            yield messages.End(found.mime_type, found.title, gap, messages.one_line(found.gap_detail))
        else:
            yield messages.Failed(Reason.NO_TEXT)


def read_file(file: BinaryIO, extension: str, limits: Limits) -> Extracted:
    """Return the blocks of one file: the `Reader` of the product."""
    size = os.fstat(file.fileno()).st_size
    return Reading(limits).read(file, size, extension, Bounds.of(limits))


def within(blocks: Iterable[Block], limits: Limits) -> Iterator[Block]:
    """Yield the blocks that may be kept, the last of them cut."""
    room = limits.text_characters
    for block, _ in zip(blocks, range(limits.blocks), strict=False):
        text = block.text[:room]
        if not text or text.isspace():
            continue
        yield block if len(text) == len(block.text) else replace(block, text=text)
        room -= len(text)
        if room <= 0:
            break
