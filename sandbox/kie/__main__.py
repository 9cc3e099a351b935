"""`python -m sandbox.kie` runs the stand-in of the provider alone."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from sandbox.guard import ProductionSettings
from sandbox.kie.options import KieOptions
from sandbox.kie.server import KieSandbox


async def _serve(options: KieOptions) -> None:
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    async with KieSandbox(options) as kie:
        sys.stdout.write(f"api {kie.api_url}\nuploads {kie.upload_url}\nresults {kie.result_url}\n")
        sys.stdout.flush()
        await stopped.wait()


def main() -> None:
    """Run the stand-in until it is told to stop: `python -m sandbox.kie --state-dir .demo/kie`."""
    defaults = KieOptions()
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.kie", description="A local stand-in for the provider, on three loopback ports."
    )
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--time-scale", type=float, default=defaults.time_scale)
    parser.add_argument("--api-port", type=int, default=0)
    parser.add_argument("--upload-port", type=int, default=0)
    parser.add_argument("--result-port", type=int, default=0)
    parser.add_argument("--credits", type=float, default=defaults.credits)
    parser.add_argument("--hmac-key")
    parser.add_argument("--state-dir", type=Path)
    try:
        asyncio.run(_serve(KieOptions(**vars(parser.parse_args()))))
    except ProductionSettings as refused:
        sys.exit(str(refused))


main()
