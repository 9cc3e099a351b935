"""What a run is asked for."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos.breakages import BREAKAGES
from chaos.nemesis import Tempo

LONG_GENERATIONS = 10_000
LONG_OUTAGES_S = (3.0, 60.0, 8.0)
REPLICAS_AT_LEAST = 3


@dataclass(frozen=True, slots=True)
class Options:
    """`rest_s` is how long the shop may take to finish once it is left alone."""

    seed: int = 1
    generations: int = 1_000
    replicas: int = REPLICAS_AT_LEAST
    customers: int = 40
    rest_s: float = 240.0
    calm: bool = False  # no nemesis: only the stand-ins are hostile
    breakage: str | None = None
    data: Path = Path(".chaos")
    tempo: Tempo = field(default_factory=Tempo)


def read_options(argv: Sequence[str] | None = None) -> Options:
    """From the command line; ends the process when that makes no sense."""
    usual = Options()
    parser = argparse.ArgumentParser(
        prog="chaos", description="A shop of several replicas under fire; the last line is the verdict."
    )
    parser.add_argument("--seed", type=int, default=usual.seed, help="of faults, nemesis and customers")
    parser.add_argument("--generations", type=int, metavar="N", help=f"confirmed orders (default {usual.generations})")
    parser.add_argument(
        "--replicas", type=int, default=usual.replicas, metavar="R", help=f"at least {REPLICAS_AT_LEAST}, the default"
    )
    parser.add_argument(
        "--customers", type=int, default=usual.customers, metavar="C", help=f"side by side (default {usual.customers})"
    )
    parser.add_argument("--long", action="store_true", help=f"{LONG_GENERATIONS} orders, and outages of a minute")
    parser.add_argument("--calm", action="store_true", help="hostile stand-ins, but nothing is killed, stopped or cut")
    parser.add_argument(
        "--rest-s", type=float, default=usual.rest_s, help=f"to finish when left alone (default {usual.rest_s:g})"
    )
    parser.add_argument("--break", dest="breakage", choices=sorted(BREAKAGES), help="run a broken copy: it must fail")
    parser.add_argument("--data", type=Path, default=usual.data, metavar="DIR", help="made anew (default .chaos)")
    asked = vars(parser.parse_args(argv))
    if asked.pop("long"):
        asked["generations"] = asked["generations"] or LONG_GENERATIONS
        asked["tempo"] = Tempo(outages_s=LONG_OUTAGES_S)
    asked["generations"] = asked["generations"] or usual.generations
    if asked["replicas"] < REPLICAS_AT_LEAST or asked["generations"] < 1 or asked["customers"] < 1:
        parser.error(f"there have to be {REPLICAS_AT_LEAST} replicas, a customer and an order at least")
    return Options(**asked)
