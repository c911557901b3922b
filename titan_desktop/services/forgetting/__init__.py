"""Forgetting: erases from the bus what tells of a deleted conversation, in the background, until it is done."""

from titan_desktop.services.forgetting.service import ForgettingService

__all__ = ["ForgettingService"]
