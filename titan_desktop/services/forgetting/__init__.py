"""Forgetting: erases the events of a deleted conversation from the bus, in the background, until it is done."""

from titan_desktop.services.forgetting.service import ForgettingService

__all__ = ["ForgettingService"]
