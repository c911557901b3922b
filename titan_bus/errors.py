"""What can go wrong on the bus. Fields, not prose: the sentence is made from them.

BusError
├── PublishRefusedError          the event can never be published; a bug of the caller
│   ├── EventTooLargeError
│   └── EventMalformedError
├── BusUnavailableError          the server does not answer; try again later
│   └── AccessRefusedError       it is there and does not let us in: somebody has to mend that
├── ServerTooOldError            the server is of a version that the bus cannot use
├── NotReplicatedError           too few replicas have the event in time; it may be there
├── BusOverloadedError           too much is waiting for the server; publish slower
├── BusClosedError               used before `async with`, or after it
├── BusThreadError               used outside the thread of its event loop; a bug of the caller
├── BusForkedError               used in a child that was forked while it was open; a bug of the caller
├── ServerRefusedError           the server answered with an error
│   ├── ServerFullError          its memory or its disk is full
│   └── WrongTypeError           a key holds something that is not the bus's
├── RequestError
│   ├── RequestTimedOutError     nobody answered within the deadline
│   └── RequestFailedError       the responder answered with a refusal
├── FatalError                   raised by a handler: to the dead letters at once
│   ├── PayloadMismatchError
│   └── UpcastError              an upcaster raised
├── NameMalformedError           a topic, a group or a key that is no Unicode text (also a ValueError)
├── EntryMalformedError          an entry on the wire that is no event
├── ConsumerNameTakenError       another consumer has the configured name in this group
├── HandlerTimedOutError         a handler that took longer than its `timeout_s`
├── HandlerRefusedError          a handler that cannot be declared or subscribed as it is; a bug of the caller
├── UndescribableError           a type that an AsyncAPI document has no word for (also a TypeError)
├── ConfigError                  a configuration file that cannot be used, and the line
├── ConfigValueError             a setting that cannot be (also a ValueError)
├── ArchiveError                 what has to do with the archive
│   ├── StoreError               its folder or bucket cannot be read or written
│   ├── ArchiveElsewhereError    the server is archived, but not there
│   │   └── ArchiveUnnamedError      the server is archived, and the bus is told of no archive
│   ├── SegmentDamagedError      one of its objects is not what was written
│   │   └── SegmentForeignError      it is whole, but of another stream or of a later version
│   └── RestoreRefusedError      a stream on the server is not empty
│       └── RestoreDisturbedError    somebody published there meanwhile
├── ErasureInterruptedError      an erasure stood still for long: ask for it again
├── OnceMisusedError             a guard of `once` where it cannot hold; a bug of the caller
├── EventNotFoundError           `replay_from` an event that is nowhere
├── GroupNotFoundError           a group that is not on the server
├── ExtraMissingError            what was asked for needs a package that is not installed
├── RemoteClientError                    what only programs in other languages meet (`grpc`)
│   ├── TokenRefusedError        a call without a token, or with one that does not count
│   ├── RightMissingError        a token that does not allow this
│   ├── CallMalformedError       a message that is not what the protocol asks for
│   ├── NackedError              a client in another language could not handle an event
│   └── ClientGoneError          a client in another language went away with an event in flight
└── EventNotHeldError            `ack` of an event that no subscription holds

RequestRefused is what a responder raises to refuse; the requester gets it as RequestFailedError.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FAULTS_SHOWN = 10
"""How many faults of a file an error lists."""


class BusError(Exception):
    """The root of all errors of this package."""


class PublishRefusedError(BusError):
    """The event can never be published as it is.

    Attributes:
        topic: its topic.
        event_type: its type.
        reason: what is wrong with it.
    """

    def __init__(self, topic: str, event_type: str, reason: str) -> None:
        super().__init__(f"{topic} {event_type}: {reason}")
        self.topic = topic
        self.event_type = event_type
        self.reason = reason


class EventTooLargeError(PublishRefusedError):
    """The encoded event has `size` bytes, more than the `limit`."""

    def __init__(self, topic: str, event_type: str, size: int, limit: int) -> None:
        super().__init__(topic, event_type, f"{size} bytes, the limit is {limit}")
        self.size = size
        self.limit = limit


class EventMalformedError(PublishRefusedError):
    """The topic, the type, the priority or the payload is not valid."""


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

    def __init__(self, reply: str, keys: "Sequence[str]") -> None:
        super().__init__(reply)
        self.keys = tuple(keys)

    def __str__(self) -> str:
        named = " or ".join(self.keys)
        return f"{super().__str__().rstrip('.')}: {named} is of another program: rename it there, or here"


def refusal(reply: str) -> ServerRefusedError:
    """Return the error that an error reply means."""
    return (ServerFullError if reply.startswith(("OOM ", "MISCONF ")) else ServerRefusedError)(reply)


def speakable(text: str) -> str:
    """Return a text that can be encoded: what UTF-8 has no bytes for, as file names may bring, is escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def text_of(error: BaseException) -> str:
    """Return what an error says, also when its own code raises."""
    try:
        return speakable(str(error))
    except Exception as fault:  # noqa: BLE001 -- whatever a foreign `__str__` raises
        return f"it cannot say why: {type(fault).__name__}"


class RequestError(BusError):
    """A request got no useful answer."""


class RequestTimedOutError(RequestError):
    """Nobody answered within `timeout_s`."""

    def __init__(self, topic: str, event_type: str, timeout_s: float) -> None:
        super().__init__(f"{topic} {event_type}: no answer within {timeout_s} s")
        self.topic = topic
        self.event_type = event_type
        self.timeout_s = timeout_s


class RequestFailedError(RequestError):
    """The responder refused; `code` and `message` are its own, or the bus's.

    The bus's own codes are `internal` (the handler raised), `reply_too_large` and `reply_malformed`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class RequestRefused(Exception):  # noqa: N818 -- it is an answer, not a fault
    """Raised by a responder: the requester gets `code` and `message`, and the request is acknowledged."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class FatalError(BusError):
    """Raised by a handler: trying again cannot help, the event goes to the dead letters at once."""


class PayloadMismatchError(FatalError):
    """The payload of `event_id` is not an `expected`."""

    def __init__(self, event_id: str, expected: str, detail: str) -> None:
        super().__init__(f"{event_id} is no {expected}: {detail}")
        self.event_id = event_id
        self.expected = expected
        self.detail = detail


class HandlerTimedOutError(BusError):
    """A handler took longer than its `timeout_s` and was cancelled."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"the handler took longer than its timeout_s of {timeout_s:g}")
        self.timeout_s = timeout_s


class ConsumerNameTakenError(BusError):
    """`holder`, a process, has the name `consumer` in the `group` on the `topic`, and keeps it."""

    def __init__(self, consumer: str, topic: str, group: str, holder: str) -> None:
        super().__init__(
            f"another consumer of {group} on {topic} is named {consumer}, in {holder}: give each a `consumer` of "
            "its own, or none, then they name themselves"
        )
        self.consumer = consumer
        self.topic = topic
        self.group = group
        self.holder = holder


class NameMalformedError(BusError, ValueError):
    """A topic, a group or another word that cannot be sent: `name` has a lone surrogate, unknown to UTF-8."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{speakable(name)} is no Unicode text: it has a lone surrogate, as undecodable bytes leave"
        )
        self.name = name


class EntryMalformedError(BusError):
    """An entry of a stream that is no event, and why."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class ArchiveError(BusError):
    """Something about the archive."""


class StoreError(ArchiveError):
    """The store at `target` did not do what it should with `key` (empty for all of it), for `reason`."""

    def __init__(self, target: str, key: str, reason: str) -> None:
        super().__init__(f"archive {target}{', ' if key else ''}{key}: {reason}")
        self.target = target
        self.key = key
        self.reason = reason


class ArchiveElsewhereError(ArchiveError):
    """The server is archived to `target`; `other` contains another archive. `key` on the server says so."""

    def __init__(self, target: str, other: str, key: str) -> None:
        super().__init__(
            f"this server is archived to {target}, and what is in {other} is another archive: each would lack "
            f"what the other has. Name that target, or see that its disk is there; to move it copy all of it; "
            f"to begin another from here on delete the key {key} on the server"
        )
        self.target = target
        self.other = other
        self.key = key


class ArchiveUnnamedError(ArchiveElsewhereError):
    """The server is archived to `target`, but the configuration names no archive: events would stay there."""

    def __init__(self, target: str, key: str) -> None:
        BusError.__init__(
            self,
            f"this server is archived to {target}, where events would stay: name that archive; if there is none "
            f"any more delete the key {key} on the server",
        )
        self.target = target
        self.other = ""
        self.key = key


class SegmentDamagedError(ArchiveError):
    """The object `name` in the archive is truncated or was altered; `detail` says where."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(f"{name}: {detail}")
        self.name = name
        self.detail = detail


class SegmentForeignError(SegmentDamagedError):
    """The object `name` is whole, but of another stream or of a later version, as `detail` says."""


class RestoreRefusedError(ArchiveError):
    """The stream of `topic` has `length` entries: older ones cannot be added before them."""

    def __init__(self, topic: str, length: int) -> None:
        super().__init__(
            f"{topic} has {length} events on the server: restore into an empty server, "
            "or ask for only what is newer than they are"
        )
        self.topic = topic
        self.length = length


class RestoreDisturbedError(RestoreRefusedError):
    """`stream`, of `topic`, got an entry `last` that no restore added; it has `length` entries now."""

    def __init__(self, topic: str, length: int, stream: str, last: str) -> None:
        BusError.__init__(
            self,
            f"{topic} got events of its own, up to {last}, before it was restored to the end: stop what publishes "
            f"there, archive once more to keep them, delete the stream {stream} on the server, restore it again",
        )
        self.topic = topic
        self.length = length
        self.stream = stream
        self.last = last


class EventNotFoundError(BusError):
    """Neither the stream of `topic` nor the archive has `event_id` near its time."""

    def __init__(self, topic: str, event_id: str) -> None:
        super().__init__(f"{event_id} is not in {topic}, nor in its archive")
        self.topic = topic
        self.event_id = event_id


class GroupNotFoundError(BusError):
    """There is no group `group` on `topic`."""

    def __init__(self, topic: str, group: str) -> None:
        super().__init__(f"no group {group} on {topic}")
        self.topic = topic
        self.group = group


class ExtraMissingError(BusError, ImportError):
    """`what` needs a package that is not installed; the extra `extra` of titan-bus installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs a package that is not installed: pip install 'titan-bus[{extra}]'")
        self.what = what
        self.extra = extra


class EventNotHeldError(BusError):
    """`event_id` is in flight on no subscription of this bus."""

    def __init__(self, event_id: str) -> None:
        super().__init__(
            f"{event_id} waits for no acknowledgement here: it has one, or its subscription ended"
        )
        self.event_id = event_id


class RemoteClientError(BusError):
    """An error between the gRPC server and a client in another language."""


class TokenRefusedError(RemoteClientError):
    """The token of a call is missing or invalid; `reason` says why, and how to fix it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RightMissingError(RemoteClientError):
    """The token of `subject` does not permit to `act` on `target`."""

    def __init__(self, subject: str, act: str, target: str) -> None:
        super().__init__(f"{subject} may not {act} {target}")
        self.subject = subject
        self.act = act
        self.target = target


class CallMalformedError(RemoteClientError):
    """The `field` of a call violates the protocol; `detail` says what it must be."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail


class NackedError(RemoteClientError):
    """A client could not handle the event, for `reason`; the event is retried."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ClientGoneError(RemoteClientError):
    """The client's stream ended before it sent an outcome; the event is retried."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"the stream of {subject} ended without an outcome")
        self.subject = subject


class UpcastError(FatalError):
    """An upcaster of `topic` and `event_type` failed on `event_id`, which is of version `from_version`."""

    def __init__(self, event_id: str, topic: str, event_type: str, from_version: int, detail: str) -> None:
        super().__init__(f"{topic} {event_type} {event_id}: from version {from_version}: {detail}")
        self.event_id = event_id
        self.topic = topic
        self.event_type = event_type
        self.from_version = from_version
        self.detail = detail


class HandlerRefusedError(BusError):
    """A `handler` that cannot be declared or subscribed; `reason` says why, and how to fix it."""

    def __init__(self, handler: str, reason: str) -> None:
        super().__init__(f"{handler}: {reason}")
        self.handler = handler
        self.reason = reason


class UndescribableError(BusError, TypeError):
    """JSON Schema cannot describe the type `kind` in the handler or event `where`."""

    def __init__(self, where: str, kind: str) -> None:
        super().__init__(
            f"{where}: {kind} is, or has in it, a type that JSON Schema cannot describe: annotate "
            "a msgspec.Struct, a dataclass, a TypedDict, or Any where it may be anything"
        )
        self.where = where
        self.kind = kind


class ConfigValueError(BusError, ValueError):
    """The setting `field` has an invalid value; `detail` says what it must be."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail


class ConfigError(BusError):
    """The configuration file at `path` cannot be used.

    Attributes:
        path: the file.
        line: the line, from 1; 0 when it is about the whole file.
        detail: what is wrong, and what to write instead.
        others: the other faults, by line; the sentence lists the first ten.
    """

    def __init__(self, path: str, line: int, detail: str, others: "Sequence[ConfigError]" = ()) -> None:
        said = [f"{path}:{line}: {detail}" if line else f"{path}: {detail}", *map(str, others)]
        if (rest := len(said) - FAULTS_SHOWN) > 0:
            said[FAULTS_SHOWN:] = [f"{path}: and {rest} more"]
        super().__init__("\n".join(said))
        self.path = path
        self.line = line
        self.detail = detail
        self.others = tuple(others)


class ErasureInterruptedError(BusError):
    """This program was suspended for too long; another may have begun to archive or to erase meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            "the erasure stood still for too long, and another program may be at work: erase again"
        )


class OnceMisusedError(BusError):
    """A guard was used where it cannot work; `cure` says how it can."""

    def __init__(self, guard: str, cure: str) -> None:
        super().__init__(f"{guard}: {cure}")
        self.guard = guard
        self.cure = cure
