"""What a service has to be allowed on the server, and nothing more (Redis ACL with selectors: Redis 7, Valkey).

Each right is a selector of its own, so that what may be read here cannot be written there. `titan-bus acl` prints
the lines; a test runs a bus under them. Whoever adds a command to the package adds it here.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence

from titan_bus import names

CONNECTING = (
    "+ping +info +client|setname +client|id +client|unblock +select +role +wait +time "
    "+cluster|slots +cluster|info +asking"
)
"""What every bus sends, with one server, Sentinel or a cluster; none of these shows or changes a key. HELLO, which
tells the version, is everybody's."""
_EVERY_TOPIC = names.stream_of("*")
_STREAMS = (_EVERY_TOPIC, names.DEAD_LETTERS)
_RETRIES, _DELAYED = names.retries_of("*", "*"), names.delayed_of("*", "*")
_RESTORING = tuple(map(names.restoring, _STREAMS))
_HASH = re.compile(r"#[0-9a-f]{64}")
_KEYS = re.compile(r"(?<=\s)(?:%[RW]+)?~")
"""What stands before each pattern of keys in a selector."""
_UNSPEAKABLE = re.compile(r"[\s()\x00-\x1f]")
"""What would end a word or a selector in an ACL rule."""


def rules(
    service: str,
    password: str | None,
    *,
    publishes: Iterable[str] = (),
    subscribes: Iterable[tuple[str, str]] = (),
    replays: Iterable[str] = (),
    requests: Iterable[str] = (),
    once: Iterable[str] = (),
    metrics: bool = False,
    archives: bool = False,
    restores: bool = False,
    dead_letters: bool = False,
    erases: bool = False,
    looks: bool = False,
    benches: bool = False,
    prefix: str = "",
) -> list[str]:
    """Return the commands that make a service's user, or make it anew; now one line.

    A password is never in it, only its SHA-256, so that it may be kept in a file. Who may ask may read any reply
    whose key it knows; these keys cannot be guessed, nor listed with these rights.

    Args:
        service: the user's name.
        password: itself, or `#` and its SHA-256 in hexadecimal; None makes a user that cannot log in yet.
        publishes: topics; a publisher also trims them, so it may read and remove what is old.
        subscribes: topics with the group that handles them: with retries, dead letters, claims, and answers.
        replays: topics that it reads without a group, by `replay` or `tail`.
        requests: topics on which it asks.
        once: scopes of `bus.once`.
        metrics: it serves metrics: lag and the like of every group on what it publishes or handles.
        archives: it reads every topic and the dead letters into the archive: a bus with `archive`.
        restores: it brings topics and the dead letters back from the archive.
        dead_letters: it lists dead letters, gives them back to any topic or group, and drops them.
        erases: it erases events of any topic, from what waits to be tried again, the dead letters and the server's
            files, too; so it may read and rewrite all of that.
        looks: it sees every topic and group and what is in flight: `topics`, `groups list`, `consumers`,
            `pending`.
        benches: it measures the server, on topics of its own.
        prefix: the bus's `prefix`; it sees no key without it.

    Raises:
        ValueError: a name has a space, a control character or a parenthesis: no rule can say it.
    """
    publishes, subscribes, requests = tuple(publishes), tuple(subscribes), tuple(requests)
    written = [names.stream_of(topic) for topic in dict.fromkeys((*publishes, *requests))]
    read = [names.stream_of(topic) for topic in replays]
    marks = [names.once_of(scope, "") for scope in once]
    selectors = [
        _selector("+xadd", written, rights="W"),
        _selector("+eval +exists +xlen +xinfo|groups +xpending +xrange +xtrim", written),
        _selector("+xrange +xrevrange +xread +xinfo|groups +xpending", read, rights="R"),
        _selector("+eval +get +set +pttl +del", marks, suffix="*"),
    ]
    for topic in dict.fromkeys((*publishes, *requests)):
        later = names.later_of(topic)
        selectors += [
            _selector("+eval +zadd +zrange +zrangebyscore +zrem", [later]),
            # A script's own commands are checked one by one: this alone reads and writes nothing.
            _selector("+eval", [later, names.stream_of(topic)]),
        ]
    for topic, group in subscribes:
        selectors += _consuming(topic, group)
    if metrics:
        selectors += _counting(dict.fromkeys((*publishes, *requests, *(topic for topic, _ in subscribes))))
    for wanted, granted in (
        (archives, _archiving), (restores, _restoring), (dead_letters, _redriving), (erases, _erasing),
        (looks, _looking), (benches, _measuring),
    ):  # fmt: skip
        selectors += granted() if wanted else []
    replies = [names.replies_of("")]
    if subscribes:
        selectors.append(_selector("+xadd +xlen", [names.DEAD_LETTERS], rights="W"))
        selectors.append(_selector("+xadd +expire", replies, rights="W", suffix="*"))
    if requests:
        selectors.append(_selector("+xread +xtrim +del", replies, suffix="*"))
    words = [
        "ACL SETUSER",
        _word(service),
        "reset on resetchannels",
        _secret(password),
        CONNECTING,
        *(_KEYS.sub(rf"\g<0>{prefix}", selector) for selector in selectors),
    ]
    return [" ".join(word for word in words if word)]


def _consuming(topic: str, group: str) -> list[str]:
    stream, retries, delayed = (
        names.stream_of(topic), names.retries_of(group, topic), names.delayed_of(group, topic)
    )  # fmt: skip
    return [
        _selector(
            "+xreadgroup +xack +xpending +xclaim +xgroup|create +xgroup|delconsumer +xinfo|groups "
            "+xinfo|consumers",
            [stream, retries],
        ),
        _selector("+xadd +xdel", [retries], rights="W"),
        _selector("+zadd +zrange +zrangebyscore +zrem", [delayed]),
        _selector("+eval +get +set +del +pttl", [names.worker_of("", group, topic)], suffix="*"),
        # A script's own commands are checked one by one: this alone reads and writes nothing.
        _selector("+eval", [stream, retries, delayed, names.worker_of("", group, topic), names.DEAD_LETTERS]),
    ]


def _counting(topics: Iterable[str]) -> list[str]:
    selectors = [_selector("+xlen", [names.DEAD_LETTERS], rights="R")]
    for topic in topics:
        waiting = [names.retries_of("", topic), names.delayed_of("", topic)]
        selectors += [
            _selector("+xlen +xinfo|groups +xpending +xrange", [names.stream_of(topic)], rights="R"),
            _selector("+xlen +zcard", waiting, rights="R", suffix="*"),
        ]
    return selectors


def _archiving() -> list[str]:
    return [
        "(+scan)",  # tells the names of all keys; there is no less for finding the topics
        _granted("+xinfo|stream +xinfo|groups +xrange +xpending", *_STREAMS, rights="R"),
        _granted("+xgroup|create +xgroup|setid", *_STREAMS),
        _granted("+zscan", _DELAYED, rights="R"),
        _granted("+xrange", _RETRIES, rights="R"),
        _granted("+exists +get +set +del +pttl +eval", f"{names.ARCHIVE_GROUP}:*"),
        _granted("+get +del", *_RESTORING),
    ]


def _restoring() -> list[str]:
    return [
        _granted(
            "+exists +xinfo|stream +xinfo|groups +xgroup|create +xgroup|setid +xadd +xsetid",
            *_STREAMS,
        ),
        _granted("+zadd", _DELAYED),
        _granted("+get +set", names.ARCHIVE_TARGET),
        _granted("+get +set +del", *_RESTORING),
        # A script's own commands are checked one by one: this alone reads and writes nothing.
        _granted("+eval", *_STREAMS, *_RESTORING),
    ]


def _redriving() -> list[str]:
    return [
        _selector("+xlen +xrange +xrevrange", [names.DEAD_LETTERS], rights="R"),
        _selector("+xdel", [names.DEAD_LETTERS], rights="W"),
        _granted("+xadd", _EVERY_TOPIC, _RETRIES, rights="W"),
        # A script's own commands are checked one by one: this alone reads and writes nothing.
        _granted("+eval", _EVERY_TOPIC, _RETRIES, names.DEAD_LETTERS),
    ]


def _erasing() -> list[str]:
    streams = *_STREAMS, _RETRIES
    copies = map(names.erasing, streams)
    return [
        "(+scan +bgrewriteaof +bgsave)",  # the names of all keys, and the server's files
        # A copy takes the stream's place in one command, so one selector has to name both.
        _granted(
            "+eval +exists +xlen +xrange +xrevrange +xinfo|stream +xinfo|groups +xinfo|consumers +xpending +xack "
            "+xdel +xadd +xsetid +xtrim +xclaim +xgroup|create +xgroup|setid +xgroup|createconsumer +del +pttl "
            "+pexpire +persist +rename",
            *streams,
            *copies,
        ),
        _granted("+zscan +zrem", _DELAYED),
        _granted("+get +set +del +pttl +incr +eval", f"{names.ARCHIVE_GROUP}:*"),
    ]


def _looking() -> list[str]:
    return [
        "(+scan)",  # tells the names of all keys; there is no less for finding the topics
        _granted("+xinfo|stream +xinfo|groups +xinfo|consumers +xpending +xrange", *_STREAMS, rights="R"),
        _granted("+xlen +xpending +xrange", _RETRIES, rights="R"),
        _granted("+zcard", _DELAYED, rights="R"),
        _granted("+get +pttl", names.handling_of("*", "*", "*"), rights="R"),
    ]


def _measuring() -> list[str]:
    topics = f"{names.BENCHES}*"
    streams = names.stream_of(topics), names.retries_of("*", topics)
    return [
        _granted(
            "+xadd +xreadgroup +xack +xpending +xclaim +xgroup|create +xinfo|groups +xlen +xrange +xtrim +xdel"
            " +exists +expire",
            *streams,
        ),
        _granted("+zadd +zrange +zrangebyscore +zrem", names.delayed_of("*", topics)),
        _granted("+eval +get +set +del +pttl", names.worker_of("*", "*", topics)),
        # A script's own commands are checked one by one: this alone reads and writes nothing.
        _granted(
            "+eval",
            *streams,
            names.delayed_of("*", topics),
            names.worker_of("", "*", topics),
            names.DEAD_LETTERS,
        ),
        # DEL names them all at once, so one selector has to.
        _granted("+del", *streams, names.delayed_of("*", topics)),
    ]


def _selector(commands: str, keys: Sequence[str], *, rights: str = "", suffix: str = "") -> str:
    """Grant on these keys alone."""
    return _granted(commands, *(_pattern(key) + suffix for key in keys), rights=rights)


def _granted(commands: str, *patterns: str, rights: str = "") -> str:
    """Grant on all keys that these patterns fit."""
    before = f"%{rights}~" if rights else "~"
    return f"({commands} {' '.join(before + pattern for pattern in patterns)})" if patterns else ""


def _secret(password: str | None) -> str:
    if password is None or _HASH.fullmatch(password):
        return password or ""
    return f"#{hashlib.sha256(password.encode()).hexdigest()}"


def _pattern(key: str) -> str:
    """Return the pattern that fits this key alone."""
    return re.sub(r"([*?\[\]\\])", r"\\\1", _word(key))


def _word(name: str) -> str:
    if not name or _UNSPEAKABLE.search(name):
        raise ValueError(f"{name!r} cannot stand in an ACL rule: leave out spaces and parentheses")
    return name
