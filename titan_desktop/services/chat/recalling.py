"""What is remembered, as sources of an answer: few facts, those that hold and touch the question."""

import asyncio
import logging

from titan_desktop.contracts.sources import FactSource
from titan_desktop.ports.facts import Facts, FactsUnavailableError
from titan_desktop.services.chat.tokens import tokens_of

FACTS_MAX = 5
FACTS_TOKENS_MAX = 600
FACT_CHARS_MAX = 800
RECALL_TIMEOUT_S = 2.0
"""An answer does without facts rather than waiting longer."""

_log = logging.getLogger(__name__)


async def recalled(facts: Facts, question: str) -> tuple[FactSource, ...]:
    """Return the facts for a question, the best first; none if the store does not answer in time."""
    try:
        async with asyncio.timeout(RECALL_TIMEOUT_S):
            found = await facts.recall(question, FACTS_MAX)
    except (FactsUnavailableError, TimeoutError) as error:
        _log.warning("no facts were recalled: %r", error)
        return ()
    sources: list[FactSource] = []
    room = FACTS_TOKENS_MAX
    for fact in found:
        passage = fact.text[:FACT_CHARS_MAX]
        room -= tokens_of(passage)
        if room < 0:
            break
        sources.append(
            FactSource(fact_id=fact.id, title=fact.subject, passage=passage, learned_at=fact.learned_at)
        )
    return tuple(sources)
