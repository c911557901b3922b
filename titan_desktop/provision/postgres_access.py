"""How an embedded PostgreSQL is reached: a unix socket without a password, or loopback TCP with one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

Listen = Literal["unix", "tcp"]


@dataclass(frozen=True, slots=True)
class Access:
    """One way.

    Attributes:
        sockets: the folder of the unix socket.
        port: of the TCP socket; part of the unix socket's name.
        password_file: contains the password for TCP.
    """

    listen: Listen
    sockets: Path
    port: int
    password_file: Path

    @property
    def url(self) -> str:
        """The DSN of the superuser's own database, with the password."""
        if self.listen == "unix":
            return f"{self._url}&port={self.port}" if self.port != 5432 else self._url  # noqa: PLR2004 - the default
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/postgres"

    @property
    def password(self) -> str:
        """The password for TCP."""
        return self.password_file.read_text("ascii")

    def program_url(self, passfile: Path) -> str:
        """The DSN for a program's command line, which every user can read: the password is in `passfile`."""
        if self.listen == "unix":
            return self.url
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres?passfile={quote(str(passfile))}"

    def passfile_line(self) -> str:
        """The content of that file (PostgreSQL manual, 32.16)."""
        return f"127.0.0.1:{self.port}:*:postgres:{self.password}\n"

    def settings(self) -> dict[str, str]:
        """The server's settings."""
        if self.listen == "tcp":
            return {"listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": ""}
        return {
            "listen_addresses": "",
            "port": str(self.port),
            # A list: quoted, so that a comma in the path does not cut it in two.
            "unix_socket_directories": '"{}"'.format(str(self.sockets).replace('"', '""')),
            "unix_socket_permissions": "0700",
        }

    def write_rules(self, cluster: Path) -> None:
        """Allow only the superuser, and only this way."""
        unix = self.listen == "unix"
        rule = "local all all trust\n" if unix else "host all all 127.0.0.1/32 scram-sha-256\n"
        rules = cluster / "pg_hba.conf"
        if rules.read_text("utf-8") != rule:
            rules.write_text(rule, "utf-8")

    @property
    def _url(self) -> str:
        return f"postgresql://postgres@/postgres?host={quote(str(self.sockets))}"
