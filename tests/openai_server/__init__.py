"""A real HTTP server that speaks OpenAI's protocol, for tests of everything that talks to a model.

`serve()` runs one in a thread; `python -m tests.openai_server --port 8123` runs one as a process, steered by
`POST /control`. It knows Chat Completions (streamed and whole), embeddings and the list of models. What it
answers, how fast, and how it fails are attributes that a test may change at any time.

Without a `text` the answer repeats the beginning of every fenced source of the prompt, so a test can see that the
passages arrived and were numbered.
"""

from tests.openai_server.answers import DIMENSIONS, FENCED, embedding
from tests.openai_server.recorded import Raw
from tests.openai_server.server import OpenAIServer, serve

__all__ = ["DIMENSIONS", "FENCED", "OpenAIServer", "Raw", "embedding", "serve"]
