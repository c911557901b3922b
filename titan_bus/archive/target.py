"""Which archive a server belongs to: a key on the server names it, so that no other archive is used by mistake.

The positions of the archive's groups belong to one archive. An archiver or a restore claims the server before it
moves them.
"""

from titan_bus import names
from titan_bus.archive.archive import Archive
from titan_bus.connections.connection import Connection
from titan_bus.errors import ArchiveElsewhereError


async def claim(connection: Connection, archive: Archive) -> None:
    """Write on the server that it belongs to this archive; another one would lack what this one has.

    Raises:
        ArchiveElsewhereError: the server is archived to another target.
    """
    ours = await archive.identity()
    held = await connection.call("GET", names.ARCHIVE_TARGET)
    if held is not None:
        identity, _, target = held.decode(errors="replace").partition(" ")
        if not archive.is_of(identity, target, ours):
            raise ArchiveElsewhereError(target, archive.target, connection.key(names.ARCHIVE_TARGET))
    if ours is None:
        ours = await archive.identify()
    said = f"{ours} {archive.target}".encode(errors="replace")
    if held != said:
        await connection.call("SET", names.ARCHIVE_TARGET, said)
