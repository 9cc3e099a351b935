"""What a generation costs, to the kopeck, and why some have no price."""

from decimal import Decimal
from typing import Any

import pytest

from kiosk.catalog.form import Valid, validate
from kiosk.catalog.quote import Quote, Rates, Unpriced, UnpricedReason, quote
from kiosk.catalog.shelf import default_shelf

SHELF = default_shelf()
RATES = Rates(rub_per_usd=Decimal(100), multiplier=Decimal(2))
FILE = "https://x.example/a"


def credits_of(model_id: str, **inputs: Any) -> Decimal:
    price = quote(SHELF.get(model_id), inputs, RATES)
    assert isinstance(price, Quote)
    return price.credits


def test_quote_z_image() -> None:
    """0.8 credits at half a cent, a hundred rubles a dollar and twice the cost are eighty kopecks."""
    price = quote(SHELF.get("z-image"), {"prompt": "a cat", "aspect_ratio": "16:9"}, RATES)
    assert price == Quote(price_kopecks=80, credits=Decimal("0.8"), cost_kopecks=40)


@pytest.mark.parametrize(
    ("rub_per_usd", "multiplier", "price_kopecks", "cost_kopecks"),
    [
        ("100", "1", 40, 40),
        ("92.51", "2", 75, 38),  # 74.008 and 37.004: rounded up, both
        ("92.5", "2", 74, 37),
        ("0.01", "1", 1, 1),
        ("100", "0.5", 40, 40),  # never below cost
        ("100", "1.0001", 41, 40),
    ],
)
def test_quote_rounds_up(rub_per_usd: str, multiplier: str, price_kopecks: int, cost_kopecks: int) -> None:
    """A begun kopeck is a kopeck, and no rate makes the price less than the cost."""
    rates = Rates(rub_per_usd=Decimal(rub_per_usd), multiplier=Decimal(multiplier))
    assert quote(SHELF.get("z-image"), {}, rates) == Quote(price_kopecks, Decimal("0.8"), cost_kopecks)


@pytest.mark.parametrize("rate", ["0", "-1", "NaN", "Infinity"])
def test_quote_refuses_impossible_rates(rate: str) -> None:
    """A rate that is not a positive number is a mistake of the caller."""
    with pytest.raises(ValueError, match="is no rate"):
        Rates(rub_per_usd=Decimal(rate), multiplier=Decimal(2))


@pytest.mark.parametrize(
    ("model_id", "inputs", "expected"),
    [
        ("nano-banana-2", {}, "8"),
        ("nano-banana-2", {"resolution": "4K"}, "18"),
        ("wan/2-7-image", {}, "19.2"),
        ("wan/2-7-image", {"n": 1}, "4.8"),
        ("ideogram/character", {"num_images": "3", "rendering_speed": "QUALITY"}, "72"),
        ("kling-3.0/video", {"mode": "pro", "sound": True, "duration": "7"}, "189"),
        ("kling-3.0/video", {"mode": "4K", "sound": True, "duration": "3"}, "201"),
        ("bytedance/seedance-1.5-pro", {"duration": 4, "resolution": "480p", "generate_audio": False}, "7"),
        ("happyhorse-1-1/text-to-video", {"duration": 3.5, "resolution": "720p"}, "90"),
        ("veo-3-1", {"model": "veo3", "resolution": "4k"}, "380"),
        ("veo-3-1", {"model": "veo3", "resolution": "4k", "image_urls": [FILE]}, "370"),
        ("gemini-omni-video", {"resolution": "4k", "video_list": [{"url": FILE, "start": 0, "ends": 5}]}, "252"),
        ("wan/2-2-a14b-speech-to-video-turbo", {"resolution": "720p"}, "120"),
        ("elevenlabs/text-to-speech-turbo-2-5", {"text": "a" * 1000}, "6"),
        ("elevenlabs/text-to-speech-turbo-2-5", {"text": "a" * 1001}, "12"),
        ("elevenlabs/text-to-dialogue-v3", {"dialogue": [{"text": "a" * 600}, {"text": "b" * 600}]}, "28"),
        ("qwen3/image-to-image", {"image_urls": [FILE, FILE]}, "5.8"),
        ("seedream/5-pro-image-to-image", {"image_urls": [FILE]}, "7"),
        ("seedream/5-pro-image-to-image", {"image_urls": [FILE] * 3}, "8"),
        ("minimax-h3/image-to-video", {"first_frame_url": FILE, "last_frame_url": FILE}, "86"),
        ("bytedance/seedance-2", {"duration": 10, "resolution": "480p"}, "190"),
    ],
)
def test_quote_follows_the_price_list(model_id: str, inputs: dict[str, Any], expected: str) -> None:
    """Rows, quantities, begun units and surcharges come to the provider's credits."""
    assert credits_of(model_id, **inputs) == Decimal(expected)


@pytest.mark.parametrize(
    ("model_id", "inputs", "reason", "field"),
    [
        ("bytedance/v1-lite-text-to-video", {}, UnpricedReason.NO_PRICE, ""),
        ("grok-imagine-image-2-0/segment-map", {}, UnpricedReason.NO_PRICE, ""),
        ("grok-imagine-video-1-5-preview", {"resolution": "1080p"}, UnpricedReason.NO_ROW, ""),
        ("hailuo/02-image-to-video-standard", {"resolution": "768P", "duration": "6"}, UnpricedReason.NO_ROW, ""),
        ("seedream/5-pro-layer-decomposition", {"size": "2K"}, UnpricedReason.DECIDED_BY_RESULT, ""),
        ("qwen/image-to-image", {}, UnpricedReason.DECIDED_BY_RESULT, ""),
        ("topaz/image-upscale", {}, UnpricedReason.DECIDED_BY_RESULT, ""),
        ("bytedance/seedance-2", {"duration": -1}, UnpricedReason.DECIDED_BY_RESULT, "duration"),
        (
            "bytedance/seedance-2",
            {"reference_video_urls": [FILE]},
            UnpricedReason.NEEDS_MEDIA_LENGTH,
            "reference_video_urls",
        ),
        ("omnihuman-1-5", {}, UnpricedReason.NEEDS_MEDIA_LENGTH, "audio_url"),
        ("elevenlabs/sound-effect-v2", {}, UnpricedReason.NEEDS_INPUT, "duration_seconds"),
        ("elevenlabs/text-to-speech-turbo-2-5", {}, UnpricedReason.NEEDS_INPUT, "text"),
        ("wan/2-7-image", {"n": True}, UnpricedReason.NEEDS_INPUT, "n"),
        ("wan/2-7-image", {"n": 10**5000}, UnpricedReason.NEEDS_INPUT, "n"),
        ("wan/2-7-image", {"n": "two"}, UnpricedReason.NEEDS_INPUT, "n"),
        ("grok-imagine/text-to-image", {"enable_pro": 1}, UnpricedReason.NO_ROW, ""),
        ("veo/extend", {}, UnpricedReason.NEEDS_EARLIER_TASK, ""),
    ],
)
def test_quote_says_why_there_is_no_price(
    model_id: str, inputs: dict[str, Any], reason: UnpricedReason, field: str
) -> None:
    """What the inputs alone cannot tell is never guessed."""
    assert quote(SHELF.get(model_id), inputs, RATES) == Unpriced(reason, field)


def test_quote_counts_only_what_is_sent() -> None:
    """A default that is left out because of what the customer chose is not charged either."""
    model = SHELF.get("pixverse-v6/image-to-video")
    template = {"prompt": "dance", "image_urls": [FILE], "quality": "720p", "template_id": "412736208886848"}
    checked = validate(model, template)
    assert isinstance(checked, Valid)
    assert "duration" not in checked.inputs
    assert quote(model, checked.inputs, RATES) == Unpriced(UnpricedReason.NEEDS_INPUT, "duration")
