"""The caller and its rights: a JWT (RFC 7519) with `sub`, `exp`, `aud` and two claims of our own for the rights.

`publish` lists patterns of topics, `subscribe` patterns of `topic:group`; `*` matches any text. A missing claim
gives no right. The right to subscribe to a topic includes its replay; the right to publish includes requests.
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
from titan_bus.grpc.secret import Key

AUDIENCE = "titan-bus"
LEEWAY_S = 10
"""How far two clocks may differ."""
TOKEN_CHARS_MAX = 8_192
HOURS_MAX = 87_600
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
        if not any(_fits(topic, pattern) for pattern in self.publishes):
            raise RightMissingError(self.subject, "publish to", topic)

    def may_subscribe(self, topic: str, group: str) -> None:
        """Check the right to handle these events.

        Raises:
            RightMissingError: it is missing.
        """
        if not any(_fits(topic, t) and _fits(group, g) for t, g in self.subscribes):
            raise RightMissingError(self.subject, "subscribe to", f"{topic}:{group}")

    def may_replay(self, topic: str) -> None:
        """Check the right to replay a topic.

        Raises:
            RightMissingError: it is missing.
        """
        if not any(_fits(topic, pattern) for pattern, _ in self.subscribes):
            raise RightMissingError(self.subject, "replay", topic)

    def remaining_s(self) -> float:
        """Return the seconds until the token expires."""
        return self.expires_at - time.time()


def make(secret: bytes, subject: str, hours: float, publish: Sequence[str], subscribe: Sequence[str]) -> str:
    """Return a token, signed with a shared secret.

    Raises:
        ConfigValueError: the subject, the hours or a pattern of `subscribe` is invalid.
    """
    if not subject:
        raise ConfigValueError("sub", "has to be the name of the program")
    if fault := texts.fault_of(subject):
        raise ConfigValueError("sub", fault)
    if not 0 < hours <= HOURS_MAX:
        raise ConfigValueError(
            "hours", f"has to be more than 0 and at most {HOURS_MAX} (ten years), not {hours:g}"
        )
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
    return jwt.encode(claims, secret, algorithm="HS256")


def check(key: Key, token: str) -> Caller:
    """Verify a token and return its caller.

    Raises:
        TokenRefusedError: it is not valid.
    """
    if len(token) > TOKEN_CHARS_MAX:
        raise TokenRefusedError(f"the token is longer than {TOKEN_CHARS_MAX} characters")
    try:
        claims = jwt.decode(
            token, key.material, algorithms=[key.algorithm], audience=AUDIENCE, leeway=LEEWAY_S,
            options={"require": ["exp", "aud", "sub"]},
        )  # fmt: skip
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
    if fault := texts.fault_of(claims["sub"]):
        raise TokenRefusedError(f"the token's sub {fault}; {CURE}")
    subscribes = (pattern.rpartition(":") for pattern in _patterns(claims, "subscribe"))
    return Caller(
        claims["sub"],
        expires_at,
        tuple(_patterns(claims, "publish")),
        tuple((topic, group) for topic, colon, group in subscribes if colon),
    )


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
        (jwt.InvalidSignatureError, "its signature is not of this gRPC server's key"),
        (jwt.InvalidAlgorithmError, "it is signed with another algorithm than this gRPC server's key has"),
        (jwt.InvalidAudienceError, f"its audience (aud) is not {AUDIENCE}"),
        (jwt.MissingRequiredClaimError, "it has to have exp, aud and sub"),
        (jwt.ImmatureSignatureError, "it counts from later on (nbf, iat): look at the clocks"),
        (jwt.DecodeError, "it is no well-formed JWT"),
    )
    return next((reason for kind, reason in reasons if isinstance(error, kind)), _MALFORMED)
