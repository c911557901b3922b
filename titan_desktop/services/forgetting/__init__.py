"""Forgetting: erases deleted conversations and forgotten facts from the bus and all files, until it is done."""

from titan_desktop.services.forgetting.service import ForgettingService

__all__ = ["ForgettingService"]
