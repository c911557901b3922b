"""Runs the server as a process; the first line of output is the base URL."""

import argparse
import contextlib

from tests.openai_server.faults import STATUS_FAULTS, STREAM_FAULTS
from tests.openai_server.server import OpenAIServer


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
