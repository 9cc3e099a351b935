"""The composition root: settings to a running shop. The one package that knows everybody.

life.py        opens a shop, keeps it, closes it
readiness.py   what is asserted of it, and what it tells of itself
shop.py        puts it together
engine.py      what works: the jobs, and the rounds
branch.py      what each bot has for itself
parts.py       what all share
"""

from kiosk.wiring.life import keep_shop
from kiosk.wiring.shop import Shop, build

__all__ = ["Shop", "build", "keep_shop"]
