"""The words in which an entry says what a model is; values only."""

from enum import StrEnum


class ModelType(StrEnum):
    """What a model makes out of what."""

    TEXT_TO_IMAGE = "text_to_image"
    IMAGE_TO_IMAGE = "image_to_image"
    IMAGE_EDIT = "image_edit"
    BACKGROUND_REMOVAL = "background_removal"
    UPSCALE = "upscale"
    OUTPAINT = "outpaint"
    IMAGE_SEGMENTATION = "image_segmentation"
    IMAGE_ANALYSIS = "image_analysis"
    TEXT_TO_VIDEO = "text_to_video"
    IMAGE_TO_VIDEO = "image_to_video"
    VIDEO_TO_VIDEO = "video_to_video"
    VIDEO_EXTEND = "video_extend"
    VIDEO_UPSCALE = "video_upscale"
    SPEECH_TO_VIDEO = "speech_to_video"
    TEXT_TO_SPEECH = "text_to_speech"
    SPEECH_TO_TEXT = "speech_to_text"
    AUDIO_TO_AUDIO = "audio_to_audio"
    TEXT_TO_AUDIO = "text_to_audio"
    TEXT_TO_MUSIC = "text_to_music"
    AUDIO_TO_VIDEO = "audio_to_video"
    AUDIO_TO_IMAGE = "audio_to_image"
    TEXT_TO_TEXT = "text_to_text"
    UTILITY = "utility"


class Output(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"


class Status(StrEnum):
    """How sure it is that the provider still serves the model."""

    ACTIVE = "active"
    UNLISTED = "unlisted"
    UNVERIFIED = "unverified"


class Confidence(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
