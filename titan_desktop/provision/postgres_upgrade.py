"""Upgrades the cluster of an older PostgreSQL: dumps it and restores it into a new one.

A cluster belongs to one major version (PostgreSQL manual, 18.6). The older one stays unchanged until the new one
has run in a later start. A kill at any moment leaves either the older one alone, and the upgrade starts again, or
the new one complete. Reading the older cluster needs its own version's server.
"""

import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.provision import account, binaries
from titan_desktop.provision.errors import StoreUnavailableError
from titan_desktop.provision.postgres_access import Access
from titan_desktop.provision.server import FULL_DISK_BYTES, ProgramFailedError, Runner
from titan_desktop.system import private_files

_NAME = re.compile(r"postgres-\d+")

Serve = Callable[[Path, Path, Access], AbstractContextManager[None]]
"""Runs the server of these programs on this cluster within the block."""


@dataclass(frozen=True, slots=True)
class OlderCluster:
    """A cluster of another major version, and the programs that can read it."""

    folder: Path
    major: int
    programs: Path


def version_of(folder: Path) -> int | None:
    """Return a cluster's major version, None where there is no cluster."""
    try:
        return int((folder / "PG_VERSION").read_text("ascii", "replace"))
    except (OSError, ValueError):
        return None


def older_cluster(folder: Path) -> OlderCluster | None:
    """Return the cluster to upgrade before `folder` is created; None when there is none.

    A cluster of another version under the current name is renamed to its version first.

    Raises:
        StoreUnavailableError: there is one that cannot be read here; it is not changed.
    """
    majors = {
        place: major
        for place in folder.parent.glob("postgres-*")
        if _NAME.fullmatch(place.name) and (major := version_of(place)) is not None
    }
    if not majors:
        return None
    place = folder if folder in majors else max(majors, key=lambda each: majors[each])
    major = majors[place]
    if major > binaries.POSTGRES_MAJOR:
        _refuse(Code.CLUSTER_IS_NEWER, place, major)
    programs = binaries.older_postgres_programs(major)
    if programs is None:
        _refuse(Code.CLUSTER_IS_TOO_OLD, place, major)
    if place == folder:
        place = folder.with_name(f"postgres-{major}")
        if place.exists():
            _refuse(Code.CLUSTER_IS_THERE_TWICE, folder, major, other=str(place))
        folder.rename(place)
    return OlderCluster(place, major, programs)


def _refuse(code: Code, place: Path, major: int, **fields: str) -> NoReturn:
    raise StoreUnavailableError.of(
        "postgres", code, place=place, major=major, ours=binaries.POSTGRES_MAJOR, **fields
    )


class Upgrade:
    """Fills a new cluster.

    Args:
        older: the cluster to upgrade.
        service_account: the account of PostgreSQL's programs.
        access: how the servers are reached meanwhile, by this process only.
        serve: runs one of the two servers.
    """

    def __init__(
        self, older: OlderCluster, service_account: account.Account | None, access: Access, serve: Serve
    ) -> None:
        self._older = older
        self._service_account = service_account
        self._access = access
        self._serve = serve
        self._work = older.folder.parent / "postgres.upgrade"

    def fill(self, cluster: Path, programs: Path, runner: Runner) -> None:
        """Restore everything into `cluster`, which no server uses.

        Raises:
            StoreUnavailableError: the disk has no room.
            ProgramFailedError: a program failed.
        """
        older = self._older
        self._check_free_space()
        runner.note(f"taking {older.folder} over, from PostgreSQL {older.major}")
        runner.tell(
            Problem(Code.UPGRADING, {"major": str(older.major), "ours": str(binaries.POSTGRES_MAJOR)})
        )
        self._make_work_folder()
        try:
            self._dump(programs, runner)
            self._restore(cluster, programs, runner)
        except ProgramFailedError as error:
            if _free_bytes(self._work) < FULL_DISK_BYTES:
                raise self._no_room() from error
            raise
        finally:
            shutil.rmtree(self._work, ignore_errors=True)

    def _dump(self, programs: Path, runner: Runner) -> None:
        older = self._older
        self._access.write_rules(older.folder)
        with self._serve(older.programs, older.folder, self._access):
            self._run(
                runner, programs, "pg_dump", "--format=custom", "--compress=1", f"--file={self._dumped}"
            )

    def _restore(self, cluster: Path, programs: Path, runner: Runner) -> None:
        self._access.write_rules(cluster)
        with self._serve(programs, cluster, self._access):
            self._run(runner, programs, "pg_restore", "--single-transaction", positional=[str(self._dumped)])
            self._run(runner, programs, "vacuumdb", "--analyze-only", "--quiet")

    def _run(
        self, runner: Runner, programs: Path, name: str, *options: str, positional: Sequence[str] = ()
    ) -> None:
        url = self._access.program_url(self._passfile)
        runner.run([str(programs / name), *options, f"--dbname={url}", *positional])

    @property
    def _dumped(self) -> Path:
        return self._work / "dump"

    @property
    def _passfile(self) -> Path:
        return self._work / "password"

    def _make_work_folder(self) -> None:
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(mode=0o700)
        if self._access.listen == "tcp":
            private_files.replace(self._passfile, self._access.passfile_line())
        if self._service_account is not None:
            account.give(self._service_account, self._work)
            for file in self._work.iterdir():
                shutil.chown(file, self._service_account.uid, self._service_account.gid)

    def _check_free_space(self) -> None:
        """Check the free space: dump and new cluster are each at most as large as the older one."""
        if _free_bytes(self._older.folder) < 2 * _size_bytes(self._older.folder) + FULL_DISK_BYTES:
            raise self._no_room()

    def _no_room(self) -> StoreUnavailableError:
        older = self._older
        megabytes = (2 * _size_bytes(older.folder) + FULL_DISK_BYTES) // 1_000_000
        return StoreUnavailableError.of(
            "postgres",
            Code.NO_ROOM_TO_UPGRADE,
            major=older.major,
            ours=binaries.POSTGRES_MAJOR,
            megabytes=megabytes,
            folder=older.folder.parent,
        )


class Receipt:
    """The record that an older cluster was upgraded and may be removed; written before the new one gets its name.

    Args:
        folder: the new cluster.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder.with_name(f"{folder.name}.upgraded-from")

    def write(self, older: OlderCluster) -> None:
        """Write the record. It has no effect while there is no new cluster."""
        private_files.replace(self._file, older.folder.name)

    def settle(self, runner: Runner) -> None:
        """Remove the older cluster, because the new one runs. One that was used again since then is kept."""
        try:
            older = self._folder.with_name(self._file.read_text("utf-8"))
            if _NAME.fullmatch(older.name) and older != self._folder and older.is_dir():
                if _last_served(older) > self._file.stat().st_mtime:
                    runner.note(f"{older} has been served again since it was taken over, so it stays")
                else:
                    runner.note(f"removing {older}, which was taken over into {self._folder}")
                    shutil.rmtree(older)
            self._file.unlink()
        except FileNotFoundError:
            return
        except OSError as error:
            runner.note(f"the older cluster cannot be removed: {error}")


def _last_served(cluster: Path) -> float:
    """Return when its control file was last written: at every checkpoint, and when a server stops."""
    return (cluster / "global" / "pg_control").stat().st_mtime


def _size_bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in (folder / "base").rglob("*"))


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free
