"""`python -m kiosk.postgres DIR` runs the embedded server by itself, for programs that are no shop."""

import asyncio
import signal
import sys
from pathlib import Path

from kiosk.log import set_up_logging
from kiosk.postgres.programs import PostgresFailed
from kiosk.postgres.server import embedded_postgres_async


async def keep(data_dir: Path) -> None:
    """Until SIGTERM or Ctrl-C. Errors: PostgresFailed."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with embedded_postgres_async(data_dir) as dsn:
        sys.stdout.write(f"{dsn}\n")
        sys.stdout.flush()
        await stopping.wait()


def main() -> None:
    """The one line on stdout is the address, password and all: read it, never log it. DIR is made, and kept."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - ourselves and the folder
        sys.exit("usage: python -m kiosk.postgres DIR")
    set_up_logging("warning", ())
    try:
        asyncio.run(keep(Path(sys.argv[1])))
    except PostgresFailed as failed:
        sys.exit(str(failed))


if __name__ == "__main__":
    main()
