"""Kiosk: a shop for AI generation inside Telegram. For programs it has one function, `generate`: docs/generate.md."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kiosk.direct import File, Generated, NotOrdered, generate, generate_now, price

__version__ = "0.1.0"
__all__ = ["File", "Generated", "NotOrdered", "__version__", "generate", "generate_now", "price"]


def __getattr__(name: str) -> Any:
    """What takes long to import is imported when it is first asked for."""
    if name in __all__:
        return getattr(import_module("kiosk.direct"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
