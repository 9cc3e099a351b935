"""What is sold and how long an order may take, as the operator's settings say."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from kiosk.catalog.shelf import Shelf, default_shelf
from kiosk.catalog.vocabulary import Output
from kiosk.generations.deadlines import Patience
from kiosk.settings import Settings

SINGLE_MODEL: Final = "z-image"


def assortment(prices_file: Path | None, *, single_model_only: bool, called_back: bool) -> Shelf:
    """What is sold. Errors: CatalogError, naming every mistake in the operator's prices."""
    shelf = default_shelf(prices_file.read_text(encoding="utf-8") if prices_file else None)
    shelf = replace(shelf, called_back=called_back)
    return shelf.single(SINGLE_MODEL) if single_model_only else shelf


def patience(settings: Settings) -> Patience:
    """How long orders may take."""
    return Patience(
        line_s=settings.line_deadline_s,
        run_s={
            Output.IMAGE: settings.image_deadline_s,
            Output.VIDEO: settings.video_deadline_s,
            Output.AUDIO: settings.audio_deadline_s,
            Output.TEXT: settings.text_deadline_s,
        },
    )
