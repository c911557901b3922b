"""Recall: messages are indexed as they are stored, and found by words and by meaning."""

from titan_desktop.services.recall.service import RecallService

__all__ = ["RecallService"]
