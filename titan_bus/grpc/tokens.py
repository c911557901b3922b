"""The caller and its rights: a JWT (RFC 7519) with `sub`, `exp`, `aud` and two claims of our own for the rights.

`publish` lists patterns of topics, `subscribe` patterns of `topic:group`; `*` matches any text. A missing claim
gives no right. The right to subscribe to a topic includes its replay; the right to publish includes requests.

A topic with the word `commands` between its dots (`chat.commands.v1`) makes a program act. Only a pattern with
that word of its own fits it: `*` and `chat.*` do not, `chat.commands.v1` and `*.commands.*` do.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import jwt

from titan_bus.errors import ConfigValueError, RightMissingError, TokenRefusedError
from titan_bus.grpc import texts
from titan_bus.grpc.secret import Keys, kid_of

AUDIENCE = "titan-bus"
LEEWAY_S = 10
"""How far two clocks may differ."""
TOKEN_CHARS_MAX = 8_192
HOURS_MAX = 24.0
"""How long a token may count, unless the server was given another number: a stolen one is of use for a day."""
COMMANDS = "commands"
"""The word of a topic's name that makes it one of commands."""
_NO_WILDCARD = re.compile(r"[?\[]")
"""`fnmatch` treats these as wildcards; in brackets they are literal."""
_MALFORMED = "a claim of it is malformed"
CURE = "make one with `titan-bus token` and send it as metadata `authorization: Bearer <token>`"


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller that a token identifies.

    Attributes:
        subject: its `sub`, the `meta.source` of what it publishes.
        expires_at: seconds since the epoch, leeway included.
        publishes: patterns of topics.
        subscribes: patterns of topic and group.
    """

    subject: str
    expires_at: float
    publishes: tuple[str, ...]
    subscribes: tuple[tuple[str, str], ...]

    def may_publish(self, topic: str) -> None:
        """Check the right to publish to a topic.

        Raises:
            RightMissingError: it is missing.
        """
        if not any(_fits_topic(topic, pattern) for pattern in self.publishes):
            raise RightMissingError(self.subject, "publish to", topic)

    def may_subscribe(self, topic: str, group: str) -> None:
        """Check the right to handle these events.

        Raises:
            RightMissingError: it is missing.
        """
        if not any(_fits_topic(topic, t) and _fits(group, g) for t, g in self.subscribes):
            raise RightMissingError(self.subject, "subscribe to", f"{topic}:{group}")

    def may_replay(self, topic: str) -> None:
        """Check the right to replay a topic.

        Raises:
            RightMissingError: it is missing.
        """
        if not any(_fits_topic(topic, pattern) for pattern, _ in self.subscribes):
            raise RightMissingError(self.subject, "replay", topic)

    def remaining_s(self) -> float:
        """Return the seconds until the token expires."""
        return self.expires_at - time.time()


def make(
    secret: bytes,
    subject: str,
    hours: float,
    publish: Sequence[str],
    subscribe: Sequence[str],
    *,
    hours_max: float = HOURS_MAX,
) -> str:
    """Return a token, signed with a shared secret.

    Args:
        secret: the present one; the token names it as its `kid`.
        subject: the program.
        hours: how long it counts.
        publish: patterns of topics.
        subscribe: patterns of topic and group.
        hours_max: what the server takes at most.

    Raises:
        ConfigValueError: the subject, the hours or a pattern of `subscribe` is invalid.
    """
    if fault := _fault_of_subject(subject):
        raise ConfigValueError("sub", fault)
    if not 0 < hours <= hours_max:
        raise ConfigValueError("hours", f"has to be more than 0 and at most {hours_max:g}, not {hours:g}")
    for pattern in subscribe:
        if ":" not in pattern:
            raise ConfigValueError(
                "subscribe", f"{pattern} names no group: write {pattern}:GROUP or {pattern}:*"
            )
    now = int(time.time())
    claims = {
        "sub": subject, "aud": AUDIENCE, "iat": now, "exp": now + max(1, int(hours * 3600)),
        "publish": list(publish), "subscribe": list(subscribe),
    }  # fmt: skip
    return jwt.encode(claims, secret, algorithm="HS256", headers={"kid": kid_of(secret)})


def check(keys: Keys, token: str, *, hours_max: float = HOURS_MAX) -> Caller:
    """Verify a token and return its caller.

    Args:
        keys: whose tokens count.
        token: the JWT.
        hours_max: one that counts for longer from now on is refused.

    Raises:
        TokenRefusedError: it is not valid.
    """
    if len(token) > TOKEN_CHARS_MAX:
        raise TokenRefusedError(f"the token is longer than {TOKEN_CHARS_MAX} characters")
    try:
        claims = _verified(keys, token)
        expires_at = float(claims["exp"]) + LEEWAY_S
    except jwt.ExpiredSignatureError as error:
        raise TokenRefusedError(f"the token has expired; {CURE}") from error
    except jwt.PyJWTError as error:
        raise TokenRefusedError(f"the token does not count: {_why(error)}; {CURE}") from error
    except (
        ValueError,
        TypeError,
        OverflowError,
        RecursionError,
    ) as error:  # a token signed with the right key may still contain anything
        raise TokenRefusedError(f"the token does not count: {_MALFORMED}; {CURE}") from error
    if fault := _fault_of_subject(claims["sub"]):
        raise TokenRefusedError(f"the token's sub {fault}; {CURE}")
    if expires_at - time.time() > hours_max * 3600 + 2 * LEEWAY_S:
        raise TokenRefusedError(
            f"the token counts for longer than the {hours_max:g} hours that this gRPC server takes (--max-hours); "
            f"{CURE}"
        )
    subscribes = (pattern.rpartition(":") for pattern in _patterns(claims, "subscribe"))
    return Caller(
        claims["sub"],
        expires_at,
        tuple(_patterns(claims, "publish")),
        tuple((topic, group) for topic, colon, group in subscribes if colon),
    )


def _verified(keys: Keys, token: str) -> dict[str, Any]:
    """Return the claims of a token of one of these keys; its `kid` names one, and is only a hint."""
    named = jwt.get_unverified_header(token).get("kid")
    accepted = keys.accepted()
    last: jwt.PyJWTError = jwt.InvalidSignatureError()
    for key in [one for one in accepted if one.kid == named] or accepted:
        try:
            return jwt.decode(
                token, key.material, algorithms=[key.algorithm], audience=AUDIENCE, leeway=LEEWAY_S,
                options={"require": ["exp", "aud", "sub"]},
            )  # fmt: skip
        except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError) as error:
            last = error
    raise last


def _fault_of_subject(subject: str) -> str:
    return texts.fault_of(subject) if subject.strip() else "has to be the name of the program"


def _fits_topic(topic: str, pattern: str) -> bool:
    if COMMANDS in topic.split(".") and COMMANDS not in pattern.split("."):
        return False
    return _fits(topic, pattern)


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, _NO_WILDCARD.sub(r"[\g<0>]", pattern))


def _patterns(claims: dict[str, Any], claim: str) -> list[str]:
    patterns = claims.get(claim, [])
    if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
        raise TokenRefusedError(f"the token's claim {claim} has to be a list of patterns; {CURE}")
    return patterns


def _why(error: jwt.PyJWTError) -> str:
    """Return the check that failed, in our own words: the library's text contains the token."""
    reasons: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
        (jwt.InvalidSignatureError, "its signature is not of this gRPC server's keys"),
        (jwt.InvalidAlgorithmError, "it is signed with another algorithm than this gRPC server's key has"),
        (jwt.InvalidAudienceError, f"its audience (aud) is not {AUDIENCE}"),
        (jwt.MissingRequiredClaimError, "it has to have exp, aud and sub"),
        (jwt.ImmatureSignatureError, "it counts from later on (nbf, iat): look at the clocks"),
        (jwt.DecodeError, "it is no well-formed JWT"),
    )
    return next((reason for kind, reason in reasons if isinstance(error, kind)), _MALFORMED)
