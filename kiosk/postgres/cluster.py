"""The files of one embedded PostgreSQL: made once, completely or not at all."""

import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from kiosk.postgres.keeper import Owner
from kiosk.postgres.programs import (
    REACHABLE_HOME,
    WITHOUT,
    PostgresFailed,
    Programs,
    is_reachable,
    make_reachable_home,
    name_owner,
)

log = structlog.get_logger()

ROLE = "kiosk"
SUPERUSER_DATABASE = "postgres"


@dataclass(frozen=True, slots=True)
class Cluster:
    """PostgreSQL's files of the data folder `home`, and the programs that work on them."""

    home: Path
    programs: Programs

    @property
    def path(self) -> Path:
        """Where PostgreSQL's own files are: in `home`, unless its user cannot reach them there."""
        return (self.home / "cluster").resolve()

    @property
    def log_file(self) -> Path:
        return self.path / "server.log"

    def address(self, port: int) -> str:
        """The dsn, with the password. Errors: PostgresFailed."""
        try:
            password = (self.home / "password").read_text()
        except FileNotFoundError:
            raise PostgresFailed(f"{self.home / 'password'} is gone: put it back from a backup, {WITHOUT}") from None
        return f"postgresql://{ROLE}:{password}@127.0.0.1:{port}/{SUPERUSER_DATABASE}"

    def prepare(self, *, durable: bool) -> None:
        """Makes the files unless they exist, and checks that these programs can read them. Errors: PostgresFailed."""
        link = self.home / "cluster"
        if link.is_symlink() and not link.exists():
            raise PostgresFailed(
                f"{link} leads to {link.readlink()}, which is gone: put it back from a backup, {WITHOUT}"
            )
        if not link.exists():
            self._create(link, durable=durable)
        found = (self.path / "PG_VERSION").read_text().strip()
        if found != self.programs.major:
            raise PostgresFailed(
                f"{self.path} was written by PostgreSQL {found} and this is {self.programs.major}: "
                f"carry the data over with the earlier version's pg_dump, {WITHOUT}"
            )

    def _create(self, link: Path, *, durable: bool) -> None:
        place = self._place()
        unfinished = place / "cluster.new"
        password_file = place / "cluster.password"
        shutil.rmtree(unfinished, ignore_errors=True)  # of an attempt that was killed
        unfinished.mkdir(0o700)
        password = secrets.token_urlsafe(24)
        write_private(self.home / "password", password)
        write_private(password_file, password)
        maker = name_owner(self.programs.owner)
        _give(maker, unfinished, password_file)
        try:
            done = replace(self.programs, owner=maker).run(
                "initdb",
                f"--pgdata={unfinished}",
                f"--username={ROLE}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--data-checksums",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                *([] if durable else ["--no-sync"]),
            )
        finally:
            password_file.unlink()
        if done.returncode:
            raise PostgresFailed(f"cannot create a database in {place}: {done.stderr.strip()} ({WITHOUT})")
        _give(self.programs.owner, unfinished, *unfinished.rglob("*"))
        unfinished.rename(place / "cluster")
        if place != self.home:
            link.symlink_to(place / "cluster")
        log.info("postgres.created", cluster=str(self.path), version=self.programs.version)

    def _place(self) -> Path:
        if is_reachable(self.home, self.programs.owner):
            return self.home
        make_reachable_home()
        place = Path(tempfile.mkdtemp(prefix="postgres-", dir=REACHABLE_HOME))
        place.chmod(0o711)
        if not is_reachable(place, self.programs.owner):
            raise PostgresFailed(
                f"PostgreSQL may not run as root, and no other user can reach {place}: open the way, {WITHOUT}"
            )
        log.warning("postgres.placed_elsewhere", data_dir=str(self.home), cluster=str(place / "cluster"))
        return place


def _give(owner: Owner, *paths: Path) -> None:
    if owner.uid is not None and owner.gid is not None:
        for path in paths:
            os.chown(path, owner.uid, owner.gid)


def write_private(path: Path, text: str) -> None:
    """Writes a file that only we may read, down to the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
