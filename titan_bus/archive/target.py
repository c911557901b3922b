"""Which archive a server belongs to: a key on the server names it, so that no other archive is used by mistake.

The positions of the archive's groups belong to one archive. An archiver or a restore claims the server before it
moves them. An archive belongs to one prefix, too: the topics of another have the same names.
"""

from titan_bus import names
from titan_bus.archive.archive import ID_KEY, Archive
from titan_bus.connections.connection import Connection
from titan_bus.errors import ArchiveElsewhereError, ArchiveForeignError


async def claim(connection: Connection, archive: Archive) -> None:
    """Write on the server that it belongs to this archive; another one would lack what this one has.

    Raises:
        ArchiveElsewhereError: the server is archived to another target.
        ArchiveForeignError: the archive is that of a bus with another prefix.
    """
    ours = await archive.identity()
    if ours is not None and (prefix := ours.partition("|")[2]) != connection.prefix:
        raise ArchiveForeignError(archive.target, prefix, ID_KEY)
    held = await connection.call("GET", names.ARCHIVE_TARGET)
    if held is not None:
        identity, _, target = held.decode(errors="replace").partition(" ")
        if not archive.is_of(identity, target, ours):
            raise ArchiveElsewhereError(target, archive.target, connection.key(names.ARCHIVE_TARGET))
    if ours is None:
        ours = await archive.identify(connection.prefix)
    said = f"{ours} {archive.target}".encode(errors="replace")
    if held != said:
        await connection.call("SET", names.ARCHIVE_TARGET, said)
