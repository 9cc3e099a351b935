"""What passes faster in a run than in life, and the sizes that go with it: every number of that kind stands here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sandbox.kie.options import KieOptions
from sandbox.telegram import TelegramOptions

TIME_SCALE: Final = 1 / 60  # a minute is a second
HOUR_S: Final = 3600.0  # in life
LINE_DEADLINE_S: Final = 5400.0  # the gate rests for half-minutes of ours, and they are not the end of an order
IMAGE_DEADLINE_S: Final = 900.0

# How many tasks the provider takes: 20 in 10 s in life, which would be all day for a long run. Its stand-in refuses
# what exceeds this, and the shop is told the same two numbers.
CREATES: Final = 20
CREATES_WINDOW_S: Final = 2.0

WELCOME_RUB: Final = 1_000
PICTURE_PIXELS: Final = 256 * 256
PROVIDER_CREDITS: Final = 1_000_000.0

# Grace and polling are not to scale: they have to outlast a replica that is killed and comes again.
SHOP_SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "BOT_MODE": "webhook",
        "HOST": "127.0.0.1",
        "SINGLE_MODEL_ONLY": "true",
        "DATABASE_POOL_SIZE": "6",
        "WELCOME_BALANCE_RUB": str(WELCOME_RUB),
        "PROVIDER_CREATES": str(CREATES),
        "PROVIDER_WINDOW_S": f"{CREATES_WINDOW_S:g}",
        "SUBMIT_GRACE_S": "4",
        "POLL_FIRST_S": "1",
        "LINE_DEADLINE_S": f"{LINE_DEADLINE_S * TIME_SCALE:g}",
        "IMAGE_DEADLINE_S": f"{IMAGE_DEADLINE_S * TIME_SCALE:g}",
    }
)


def kie_options(seed: int) -> KieOptions:
    return KieOptions(
        seed=seed,
        time_scale=TIME_SCALE,
        newer_keys=True,
        mixed_states=True,
        credits=PROVIDER_CREDITS,
        create_limit=CREATES,
        create_window_s=CREATES_WINDOW_S,
        picture_pixels=PICTURE_PIXELS,
    )


def telegram_options(seed: int) -> TelegramOptions:
    return TelegramOptions(seed=seed, time_scale=0.3)
