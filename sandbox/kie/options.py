"""How the stand-in of the provider behaves: every switch in one place, and its one clock."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

_DAY_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class KieOptions:
    """Settings of one stand-in.

    `time_scale` shortens how long tasks take, and the pauses of callbacks, and nothing else: at 0.05 a task of usually
    55 s takes 2.75 s. A port of 0 is a free one. A public URL of None is the loopback address of the site. A limit of
    None switches that limit off. Everything random follows from `seed`; another `seed` gives other task ids.
    """

    seed: int = 1
    time_scale: float = 0.05
    api_port: int = 0
    upload_port: int = 0
    result_port: int = 0
    api_url: str | None = None
    upload_url: str | None = None
    result_url: str | None = None

    credits: float = 5000.0
    charge_at: Literal["success", "create"] = "success"
    no_credit_code: Literal[402, 500] = 402
    key_caps_credits: Mapping[str, float] = field(default_factory=dict)
    missing_field_code: Literal[422, 500] = 500

    create_limit: int | None = 20
    create_window_s: float = 10.0
    poll_limit_per_s: int | None = 10
    discovery_limit_per_s: int | None = 1
    picture_pixels: int = 1024 * 1024
    null_polls: int = 0
    newer_keys: bool = False
    mixed_states: bool = False

    hmac_key: str | None = None
    callback_timeout_s: float = 15.0
    callback_retries: int = 3
    callback_spacing_s: float = 60.0

    result_retention_s: float = 14 * _DAY_S
    upload_retention_s: float = _DAY_S
    link_retention_s: float = 20 * 60.0
    max_upload_bytes: int = 100 * 2**20
    state_dir: Path | None = None


class Clock:
    """Unix milliseconds that advance with the event loop's clock; made inside the running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._offset_s = time.time() - self._loop.time()

    def now_ms(self) -> int:
        return round((self._offset_s + self._loop.time()) * 1000)

    async def until(self, moment_ms: int) -> None:
        """Sleep until a moment; return at once when it has passed."""
        await asyncio.sleep(max(moment_ms - self.now_ms(), 0) / 1000)
