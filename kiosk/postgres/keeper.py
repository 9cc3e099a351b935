"""Stops the embedded PostgreSQL once nobody uses it, even when its last user was killed.

kiosk.postgres.server runs this file as a script beside the server; with the standard library only, it starts at once.
"""

import fcntl
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

FAST_STOP_S = 60
IMMEDIATE_STOP_S = 10


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom PostgreSQL's programs run as; None: as ourselves."""

    uid: int | None
    gid: int | None


def lock(path: Path, how: int) -> int:
    """Opens the file and locks it; closing the returned descriptor frees it. Errors: BlockingIOError with LOCK_NB."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, how)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def stop_server(server_lock: Path, pg_ctl: Path, cluster: Path, owner: Owner) -> bool:
    """Returns when no process of the server is left, or False when that took too long.

    Only the lock tells that there is a server: the process that postmaster.pid names may be a stranger by now.
    """
    fast_until = time.monotonic() + FAST_STOP_S
    while _is_held(server_lock):
        now = time.monotonic()
        if now > fast_until + IMMEDIATE_STOP_S:
            return False
        # It fails while the server only begins to start; then it is asked again.
        subprocess.run(  # noqa: S603 - a program of the wheel
            [pg_ctl, "stop", "-D", cluster, "-m", "fast" if now < fast_until else "immediate", "-t", "10"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={},
            user=owner.uid,
            group=owner.gid,
            extra_groups=None if owner.uid is None else [],
            start_new_session=True,
            check=False,
        )
        time.sleep(0.01)
    return True


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR)  # never made anew: somebody may be removing the folder
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two who ask do not mislead each other
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def main() -> None:
    """Arguments: the two lock files, pg_ctl, the cluster, and the owner's two numbers ('-' for none)."""
    users_lock, server_lock, pg_ctl, cluster = map(Path, sys.argv[1:5])
    uid, gid = (None if number == "-" else int(number) for number in sys.argv[5:7])
    users = os.open(users_lock, os.O_RDWR)
    if os.fork():  # whoever started the server is not to wait for its keeper
        os._exit(0)
    os.chdir("/")
    fcntl.flock(users, fcntl.LOCK_EX)
    stop_server(server_lock, pg_ctl, cluster, Owner(uid, gid))


if __name__ == "__main__":
    main()
