"""Kopecks and the way people write them."""

from decimal import ROUND_UP, Decimal

KOPECKS_PER_RUB = 100


def to_kopecks(rub: Decimal) -> int:
    """Whole kopecks, rounded away from zero."""
    return int((rub * KOPECKS_PER_RUB).to_integral_value(ROUND_UP))


def to_rub(kopecks: int) -> Decimal:
    """Rubles with exactly two decimals."""
    return (Decimal(kopecks) / KOPECKS_PER_RUB).quantize(Decimal("0.01"))
