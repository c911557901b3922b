"""A worker whose engine does what a passage says. Confined as the product's is.

Started with a number it is a core instead: it starts such a worker, prints the worker's process id, and waits.
"""

import array
import asyncio
import math
import os
import signal
import sys
import threading

from titan_desktop.adapters.local_embedder import worker
from titan_desktop.adapters.local_embedder.embedder import LocalEmbedder

COMMAND = [sys.executable, "-m", "tests.titan_desktop.adapters.local_embedder.failing_worker"]
CORE = [*COMMAND, "core"]


def load() -> tuple[worker.Embed, worker.Embed]:
    if "broken" in sys.argv:
        os._exit(3)
    return embed, embed


def embed(text: str) -> bytes:
    match text:
        case "crash":
            os.abort()
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "wait":
            threading.Event().wait()
        case "nan":
            return array.array("f", [math.nan, 0.5]).tobytes()
        case "says":
            print("not an answer")
    return array.array("f", [len(text), 0.5]).tobytes()


async def core() -> None:
    embedder = LocalEmbedder(COMMAND)
    await embedder.embed_query("?")
    print(embedder.pid, flush=True)
    await embedder.embed_passages(["wait"])


if __name__ == "__main__":
    if "core" in sys.argv:
        asyncio.run(core())
    sys.exit(worker.serve(load))
