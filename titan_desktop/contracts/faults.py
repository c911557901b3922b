"""Why a model gave no answer: one list of codes for chat and embeddings; each client has the sentences."""

from enum import StrEnum


class Fault(StrEnum):
    """What went wrong. The window and the commands put it into a sentence with the cure.

    REFUSED and CONTEXT_TOO_LONG are about what was sent. MALFORMED: an answer came, and is not what was asked for.
    WRONG_ADDRESS: somebody answers there, but not as a model's server does. CUT_OFF: the answer has reached the
    length that the server allows. FILTERED: the server's content filter has ended it. EMPTY: the model said
    nothing, or had only thoughts. CRASHED: the process of the built-in embedder has failed, perhaps because of the
    text; WORKER_UNAVAILABLE: it cannot be started, or was ended. INTERNAL is a fault of Titan's own.

    The detail of REDIRECTED is where to; of BAD_ADDRESS the address; of PROXY_UNUSABLE and CERTIFICATES_UNUSABLE
    the variable of the environment.
    """

    WRONG_KEY = "wrong_key"
    KEY_MISSING = "key_missing"
    UNREACHABLE = "unreachable"
    BAD_ADDRESS = "bad_address"
    REDIRECTED = "redirected"
    PROXY_UNUSABLE = "proxy_unusable"
    CERTIFICATES_UNUSABLE = "certificates_unusable"
    CERTIFICATE_REFUSED = "certificate_refused"
    WRONG_ADDRESS = "wrong_address"
    MODEL_NOT_FOUND = "model_not_found"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"
    CONTEXT_TOO_LONG = "context_too_long"
    TIMED_OUT = "timed_out"
    REFUSED = "refused"
    SERVER_ERROR = "server_error"
    MALFORMED = "malformed"
    CUT_OFF = "cut_off"
    FILTERED = "filtered"
    EMPTY = "empty"
    CRASHED = "crashed"
    WORKER_UNAVAILABLE = "worker_unavailable"
    INTERNAL = "internal"
