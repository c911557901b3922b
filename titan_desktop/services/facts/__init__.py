"""The facts service: what a person said to remember, and what was proposed to them."""

from titan_desktop.services.facts.service import FactsService

__all__ = ["FactsService"]
