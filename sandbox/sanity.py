"""`make sanity`: the shop's own `kiosk sanity` against the provider's stand-in, in a database of its own."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sandbox.guard import ProductionSettings, refuse_production
from sandbox.kie import KieSandbox
from sandbox.kie.options import KieOptions
from sandbox.shopkeeper import KIE_KEY, Shop

TIME_SCALE = 0.02
NOBODY = "http://127.0.0.1:9"  # some models want an address to call back; whoever orders looks by himself
BUDGET = "100000"  # of play money


async def sanity(folder: Path, arguments: Sequence[str]) -> int:
    """The exit code of `kiosk sanity`, whose words pass through."""
    options = KieOptions(time_scale=TIME_SCALE, newer_keys=True, credits=float(BUDGET), poll_limit_per_s=None)
    async with KieSandbox(options) as kie:
        settings = {
            "KIE_API_KEY": KIE_KEY,
            "KIE_BASE_URL": kie.api_url,
            "KIE_UPLOAD_URL": kie.upload_url,
            "DATA_DIR": str(folder / "data"),
            "POLL_FIRST_S": "0.5",
            "WEBHOOK_BASE_URL": NOBODY,
        }
        budget = [] if "--budget" in arguments else ["--budget", BUDGET]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "kiosk", "sanity", "--yes", *budget, *arguments),
            env=Shop(folder, settings).environment,
        )
        return await process.wait()


def main() -> int:
    """Play money and real money do not meet."""
    try:
        refuse_production(os.environ)
    except ProductionSettings as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="kiosk-sanity-") as folder:
        Path(folder).chmod(0o711)  # under root PostgreSQL is another user, who has to walk through
        return asyncio.run(sanity(Path(folder), sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
