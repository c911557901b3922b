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
│   ├── ArchiveForeignError      the archive there is that of a bus with another prefix
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

from titan_bus.errors.archive import (
    ArchiveElsewhereError,
    ArchiveError,
    ArchiveForeignError,
    ArchiveUnnamedError,
    ErasureInterruptedError,
    RestoreDisturbedError,
    RestoreRefusedError,
    SegmentDamagedError,
    SegmentForeignError,
    StoreError,
)
from titan_bus.errors.declaring import (
    FAULTS_SHOWN,
    ConfigError,
    ConfigValueError,
    ExtraMissingError,
    HandlerRefusedError,
    UndescribableError,
)
from titan_bus.errors.events import (
    EntryMalformedError,
    EventMalformedError,
    EventNotFoundError,
    EventNotHeldError,
    EventTooLargeError,
    GroupNotFoundError,
    NameMalformedError,
    PublishRefusedError,
)
from titan_bus.errors.handling import (
    ConsumerNameTakenError,
    FatalError,
    HandlerTimedOutError,
    OnceMisusedError,
    PayloadMismatchError,
    RequestError,
    RequestFailedError,
    RequestRefused,
    RequestTimedOutError,
    UpcastError,
)
from titan_bus.errors.remote import (
    CallMalformedError,
    ClientGoneError,
    NackedError,
    RemoteClientError,
    RightMissingError,
    TokenRefusedError,
)
from titan_bus.errors.root import BusError, speakable, text_of
from titan_bus.errors.server import (
    ACCESS_CODES,
    AccessRefusedError,
    BusClosedError,
    BusForkedError,
    BusOverloadedError,
    BusThreadError,
    BusUnavailableError,
    NotReplicatedError,
    ServerFullError,
    ServerRefusedError,
    ServerTooOldError,
    WrongTypeError,
    refusal,
)

__all__ = [
    "ACCESS_CODES",
    "FAULTS_SHOWN",
    "AccessRefusedError",
    "ArchiveElsewhereError",
    "ArchiveError",
    "ArchiveForeignError",
    "ArchiveUnnamedError",
    "BusClosedError",
    "BusError",
    "BusForkedError",
    "BusOverloadedError",
    "BusThreadError",
    "BusUnavailableError",
    "CallMalformedError",
    "ClientGoneError",
    "ConfigError",
    "ConfigValueError",
    "ConsumerNameTakenError",
    "EntryMalformedError",
    "ErasureInterruptedError",
    "EventMalformedError",
    "EventNotFoundError",
    "EventNotHeldError",
    "EventTooLargeError",
    "ExtraMissingError",
    "FatalError",
    "GroupNotFoundError",
    "HandlerRefusedError",
    "HandlerTimedOutError",
    "NackedError",
    "NameMalformedError",
    "NotReplicatedError",
    "OnceMisusedError",
    "PayloadMismatchError",
    "PublishRefusedError",
    "RemoteClientError",
    "RequestError",
    "RequestFailedError",
    "RequestRefused",
    "RequestTimedOutError",
    "RestoreDisturbedError",
    "RestoreRefusedError",
    "RightMissingError",
    "SegmentDamagedError",
    "SegmentForeignError",
    "ServerFullError",
    "ServerRefusedError",
    "ServerTooOldError",
    "StoreError",
    "TokenRefusedError",
    "UndescribableError",
    "UpcastError",
    "WrongTypeError",
    "refusal",
    "speakable",
    "text_of",
]
