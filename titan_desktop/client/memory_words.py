"""Sentences for the codes of memory: why nothing was changed, and what a forgetting has erased."""

from collections.abc import Mapping

from titan_desktop.client import foreign
from titan_desktop.client.sentences import Language, Words
from titan_desktop.contracts.memory import MemoryErased, StoreReceipt, Void


def void(language: Language, reason: Void) -> str:
    """Return why a command changed nothing, and the cure."""
    return VOIDS[reason].say(language)


def erased(language: Language, told: MemoryErased) -> str:
    """Return a receipt as a sentence or two: what was erased where, and where something may be left."""
    done = [one for one in told.stores if one.complete]
    left = [one for one in told.stores if not one.complete]
    said = []
    if done:
        where = ", ".join(_counted(language, one) for one in done)
        said.append((_NOTHING_LEFT if not left else _ERASED).say(language, where=where))
    if left:
        where = ", ".join(_reasoned(language, one) for one in left)
        said.append(_SOME_LEFT.say(language, where=where))
    return " ".join(said)


def store(language: Language, name: str) -> str:
    """Return what people call a store; one of a newer core by its own name."""
    known = STORES.get(name)
    return known.say(language) if known is not None else foreign.isolated(name)


def _counted(language: Language, one: StoreReceipt) -> str:
    return f"{store(language, one.store)} ({one.erased})"


def _reasoned(language: Language, one: StoreReceipt) -> str:
    name = store(language, one.store)
    return f"{name} ({foreign.isolated(one.reason)})" if one.reason else name


VOIDS: Mapping[Void, Words] = {
    Void.NOT_FOUND: Words(
        "It is no longer there: it was corrected or forgotten meanwhile.",
        "Этого уже нет: тем временем это исправили или забыли.",
    ),
    Void.EMPTY: Words("There are no words in it. Write a sentence.", "В нём нет слов. Напишите предложение."),
    Void.TOO_LONG: Words(
        "It is too long for one fact. Make several of it.",
        "Слишком длинно для одного факта. Разделите на несколько.",
    ),
    Void.BAD_TIME: Words(
        "The date cannot be read. Write it as 2026-03-01.", "Дата не читается. Запишите её как 2026-03-01."
    ),
    Void.KNOWN: Words("Titan remembers this already.", "Titan это уже помнит."),
    Void.RECALLED: Words(
        "It repeats what an answer has quoted from memory, so it is remembered already.",
        "Это повторяет то, что ответ привёл из памяти, значит, оно уже запомнено.",
    ),
    Void.CONFLICT: Words(
        "Something else has this place in memory. Try again.",
        "Это место в памяти занято другим. Повторите.",
    ),
}
STORES: Mapping[str, Words] = {
    "postgres": Words("database", "база данных"),
    "graph": Words("graph", "граф"),
    "stream": Words("events", "события"),
    "archive": Words("archive of events", "архив событий"),
    "dead_letters": Words("failed jobs", "сбойные задания"),
}
_NOTHING_LEFT = Words(
    "No byte of it is left. Erased: {where}.", "От него не осталось ни байта. Стёрто: {where}."
)
_ERASED = Words("Erased: {where}.", "Стёрто: {where}.")
_SOME_LEFT = Words("Something may be left in: {where}.", "Что-то могло остаться: {where}.")
