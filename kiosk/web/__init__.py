"""Kiosk over HTTP: webhooks in, health out."""

from kiosk.web.app import create_app
from kiosk.web.front import Front
from kiosk.web.server import serving

__all__ = ["Front", "create_app", "serving"]
