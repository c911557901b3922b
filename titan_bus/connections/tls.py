"""The TLS options of a URL. The files are read again at every connect, so that renewed certificates are used.

`endpoint` parses the options and builds a context for each wire.
"""

import ssl
from dataclasses import dataclass

OPTIONS = frozenset({"ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_keyfile"})
"""The options of a URL's query, with redis-py's names."""
_REFUSALS = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED", "KEY_VALUES_MISMATCH")
"""What OpenSSL's reason codes contain when a certificate is not accepted, by us or by the server."""


@dataclass(frozen=True, slots=True)
class Tls:
    """The files of one URL.

    Attributes:
        authorities: the certificates to trust, PEM; None for the system's.
        certificate: the client certificate, for a server that asks for one, PEM.
        key: its private key; None when it is in the same file.
        verifies: whether the server's certificate and name are checked.
    """

    authorities: str | None = None
    certificate: str | None = None
    key: str | None = None
    verifies: bool = True

    @classmethod
    def parse(cls, query: dict[str, str]) -> "Tls":
        """Read the options, and the files once, so that a wrong path is an error at once.

        Raises:
            ValueError: a file cannot be read, or does not match the others.
        """
        tls = cls(
            query.get("ssl_ca_certs"),
            query.get("ssl_certfile"),
            query.get("ssl_keyfile"),
            query.get("ssl_cert_reqs") != "none",
        )
        if tls.key and not tls.certificate:
            raise ValueError("ssl_keyfile needs the certificate that it belongs to: give ssl_certfile, too")
        try:
            tls.context()
        except OSError as error:
            raise ValueError(f"{tls}: {error.strerror or error}") from error
        return tls

    def __str__(self) -> str:
        files = (self.authorities, self.certificate, self.key)
        named = zip(("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"), files, strict=True)
        return ", ".join(f"{name}={file}" for name, file in named if file)

    def context(self) -> ssl.SSLContext:
        """Read the files. Takes some 10 ms where the system's authorities are many: call it in a thread.

        Raises:
            OSError: one cannot be read, is no certificate, or does not match the others.
        """
        context = ssl.create_default_context(cafile=self.authorities)
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key)
        if not self.verifies:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def is_refusal(error: BaseException) -> bool:
    """Whether a handshake failed because of a certificate, theirs or ours."""
    return isinstance(error, ssl.SSLError) and any(part in (error.reason or "") for part in _REFUSALS)
