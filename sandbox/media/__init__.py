"""Real files for the stand-ins: pictures, clips and sounds made to order, off the event loop, and kept for a while."""

from sandbox.media.studio import MAX_DURATION_S, MIME, MediaOrder, Studio, make

__all__ = ["MAX_DURATION_S", "MIME", "MediaOrder", "Studio", "make"]
