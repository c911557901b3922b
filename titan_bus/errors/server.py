"""The bus and its server: it is away, refuses us or a command, or the bus is used where it cannot be."""

from collections.abc import Sequence

from titan_bus.errors.root import BusError


class BusUnavailableError(BusError):
    """The server at `address` (without its password) does not answer, for `reason`."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"{address}: {reason}")
        self.address = address
        self.reason = reason


ACCESS_CODES = {
    "NOAUTH": "put user and password into the URL, redis://user:password@host, or give `Bus` its `credentials`",
    "WRONGPASS": "check user and password in the URL; where they change, give `Bus` a function as `credentials`",
    "NOPERM": "give the user the rights that `titan-bus acl` prints",
    "DENIED": "set a password on the server, or have it listen where only its friends are",
    "CERTIFICATE": "look at the dates and names of the certificates of both, and at the URL's ssl_ca_certs, "
    "ssl_certfile and ssl_keyfile",
    "CREDENTIALS": "mend the function that was given as `credentials`: it returns user and password",
}
"""Why a server does not let us in, by its code or by ours, with the cure."""


class AccessRefusedError(BusUnavailableError):
    """The server is there and does not let us in.

    Connecting goes on, so mending the server is enough.

    Attributes:
        code: `WRONGPASS`, `NOAUTH`, `NOPERM` or `DENIED` by the server; `CERTIFICATE` when one is not accepted, by
            it or by us; `CREDENTIALS` when the function for them failed.
        cure: what to do about it.
    """

    def __init__(self, address: str, code: str, reason: str, cure: str | None = None) -> None:
        self.code = code
        self.cure = ACCESS_CODES[code] if cure is None else cure
        super().__init__(address, f"{reason.rstrip('.')}: {self.cure}" if self.cure else reason)


class ServerTooOldError(BusError):
    """The server at `address` is of a `version` that lacks what the bus needs."""

    def __init__(self, address: str, version: str) -> None:
        super().__init__(f"{address} is {version}: the bus needs Redis 7.0 or later, or Valkey")
        self.address = address
        self.version = version


class NotReplicatedError(BusError):
    """Only `replicas` of the `wanted` replicas have `event_id`. It may be there; a failover may lose it."""

    def __init__(self, event_id: str, replicas: int, wanted: int) -> None:
        super().__init__(
            f"{event_id}: {replicas} of {wanted} replicas have it: bring them back, or lower `replicas`"
        )
        self.event_id = event_id
        self.replicas = replicas
        self.wanted = wanted


class BusOverloadedError(BusError):
    """`waiting_bytes` of commands are waiting for the server; the new one was not accepted."""

    def __init__(self, waiting_bytes: int) -> None:
        super().__init__(f"{waiting_bytes} bytes are waiting to be sent: await what publish returns")
        self.waiting_bytes = waiting_bytes


class BusClosedError(BusError):
    """The bus is not open."""

    def __init__(self) -> None:
        super().__init__("the bus is not open: use it inside `async with Bus(config)`")


class BusThreadError(BusError):
    """The bus was used from a thread other than its event loop's."""

    def __init__(self) -> None:
        super().__init__(
            "this is not the thread of the bus's event loop: hand the call over with loop.call_soon_threadsafe, "
            "or with asyncio.run_coroutine_threadsafe where its result counts"
        )


class BusForkedError(BusError):
    """The bus was opened before this process was forked: its socket is the parent's."""

    def __init__(self) -> None:
        super().__init__(
            "this bus was opened in the parent process: open one in each child, after the fork "
            "(multiprocessing: start method spawn, or open it in the child's own function)"
        )


class ServerRefusedError(BusError):
    """The server answered with an error reply; `code` is its first word: `NOGROUP`, `OOM`, `WRONGPASS`."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.code, _, self.detail = reply.partition(" ")


class ServerFullError(ServerRefusedError):
    """The server takes no more: its memory is at `maxmemory` (`OOM`), or its disk is full (`MISCONF`).

    What it has can still be handled as long as only its memory is full. Publishing goes on when there is room.
    """

    def __str__(self) -> str:
        cure = (
            "raise maxmemory or lower the streams' maxlen" if self.code == "OOM" else "free some of its disk"
        )
        return f"{super().__str__().rstrip('.')}: {cure}"


class WrongTypeError(ServerRefusedError):
    """One of the `keys` of a command has another type: another program uses that name."""

    def __init__(self, reply: str, keys: Sequence[str]) -> None:
        super().__init__(reply)
        self.keys = tuple(keys)

    def __str__(self) -> str:
        named = " or ".join(self.keys)
        return f"{super().__str__().rstrip('.')}: {named} is of another program: rename it there, or here"


def refusal(reply: str) -> ServerRefusedError:
    """Return the error that an error reply means."""
    return (ServerFullError if reply.startswith(("OOM ", "MISCONF ")) else ServerRefusedError)(reply)
