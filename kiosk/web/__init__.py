"""Kiosk over HTTP: webhooks in, health out."""
