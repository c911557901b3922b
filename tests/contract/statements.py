"""Statements for the suites of facts."""

from datetime import UTC, datetime

from ulid import ULID

from titan_desktop.contracts.memory import ByPerson, EntityKind, ListFacts, Origin
from titan_desktop.ports.facts import Events, Facts, Statement

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


def said(
    predicate: str,
    target: str,
    *,
    subject: str = "",
    text: str | None = None,
    fact_id: str = "",
    year: int | None = None,
    at: datetime = AT,
    replaces: bool = True,
    origin: Origin = ByPerson(),  # noqa: B008 - frozen
    subject_kind: EntityKind | None = None,
) -> Statement:
    """A statement as the service makes it; a predicate without a list says whether it replaces."""
    return Statement(
        fact_id=fact_id or str(ULID()),
        text=" ".join(filter(None, (subject, predicate, target))) if text is None else text,
        subject=subject,
        predicate=predicate,
        object=target,
        replaces=replaces and bool(predicate),
        valid_from=at if year is None else datetime(year, 1, 1, tzinfo=UTC),
        event_id=str(ULID()),
        origin=origin,
        subject_kind=subject_kind,
    )


async def learn(facts: Facts, predicate: str, target: str, **how: object) -> Events:
    """Learn, and return what is told."""
    return await facts.learn(said(predicate, target, **how), proposed=False)  # type: ignore[arg-type]


async def texts(facts: Facts) -> list[str]:
    page = await facts.page(ListFacts())
    assert page is not None
    return [fact.text for fact in page.facts]
