"""The engine's first probe of its own listener is answered: it never takes itself for deaf."""

import asyncio

from kiosk.db import Database, open_pool
from kiosk.queue.worker import Worker

PATIENCE_S = 60.0


async def test_first_probe_is_answered_every_time(database: Database, dsn: str) -> None:
    """Eight workers start one after another; none loses the probe that it sends itself while starting."""
    for _ in range(8):
        worker = Worker(lambda: open_pool(dsn, max_size=3), handlers={})
        running = asyncio.create_task(worker.run())
        async with asyncio.timeout(PATIENCE_S):
            while worker._engine is None:
                await asyncio.sleep(0.01)
            probes = worker._engine.qm.pending_health_check
            while not worker._engine.qm.queries.driver._listener_connection:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)
            lost = list(probes.values())
        if lost:
            await asyncio.wait(lost)
        assert not any(probe.cancelled() for probe in lost)
        worker.stop()
        await running
