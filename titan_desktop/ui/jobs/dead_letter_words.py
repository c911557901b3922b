"""The person's words for a dead letter: what could not be done, and why."""

from pathlib import PurePath

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from titan_desktop.client import foreign
from titan_desktop.contracts.dead_letters import DeadLetter

_TASKS = {
    "send_prompt": QT_TRANSLATE_NOOP("DeadLetter", "Answer a question"),
    "answer_question": QT_TRANSLATE_NOOP("DeadLetter", "Answer a question"),
    "retry_answer": QT_TRANSLATE_NOOP("DeadLetter", "Answer a question again"),
    "go_on": QT_TRANSLATE_NOOP("DeadLetter", "Go on with an answer"),
    "answer_again": QT_TRANSLATE_NOOP("DeadLetter", "Give a question another answer"),
    "show_message": QT_TRANSLATE_NOOP("DeadLetter", "Show another branch of a conversation"),
    "stop_answer": QT_TRANSLATE_NOOP("DeadLetter", "Stop an answer"),
    "rename_conversation": QT_TRANSLATE_NOOP("DeadLetter", "Rename a conversation"),
    "delete_conversation": QT_TRANSLATE_NOOP("DeadLetter", "Delete a conversation"),
    "index_paths": QT_TRANSLATE_NOOP("DeadLetter", "Read folders"),
    "file_seen": QT_TRANSLATE_NOOP("DeadLetter", "Read a file"),
    "file_renamed": QT_TRANSLATE_NOOP("DeadLetter", "Follow a file that was renamed"),
    "file_removed": QT_TRANSLATE_NOOP("DeadLetter", "Forget a file that is gone"),
    "file_indexed": QT_TRANSLATE_NOOP("DeadLetter", "Put a file into the graph"),
    "conversation_changed": QT_TRANSLATE_NOOP("DeadLetter", "Erase what a deleted conversation has left"),
    "command_void": QT_TRANSLATE_NOOP("DeadLetter", "Erase what a deleted conversation has left"),
    "read_settings": QT_TRANSLATE_NOOP("DeadLetter", "Take over new settings"),
    "redrive_dead_letters": QT_TRANSLATE_NOOP("DeadLetter", "Try failed jobs again"),
    "drop_dead_letters": QT_TRANSLATE_NOOP("DeadLetter", "Remove failed jobs"),
}
_NO_EVENT = QT_TRANSLATE_NOOP("DeadLetter", "Something that Titan cannot read")

_REASONS = {
    "DeliveredTooOftenError": QT_TRANSLATE_NOOP(
        "DeadLetter", "Titan's core ended several times while it worked on this."
    ),
    "PayloadMismatchError": QT_TRANSLATE_NOOP(
        "DeadLetter", "Titan does not understand it; another version may have written it."
    ),
    "EntryMalformedError": QT_TRANSLATE_NOOP(
        "DeadLetter", "Titan does not understand it; another program may have written it."
    ),
}
_FAULT = QT_TRANSLATE_NOOP("DeadLetter", "An error inside Titan: {error}")


def task_of(letter: DeadLetter) -> str:
    """Return the task and its subject."""
    known = _TASKS.get(letter.event_type, "" if letter.event_type else _NO_EVENT)
    task = QCoreApplication.translate("DeadLetter", str(known)) if known else letter.event_type
    subject = PurePath(letter.subject).name if letter.event_type.startswith("file_") else letter.subject
    return f"{task}: {foreign.isolated(subject)}" if subject else task


def reason_of(letter: DeadLetter) -> str:
    """Return the reason of the failure."""
    sentence = QCoreApplication.translate("DeadLetter", str(_REASONS.get(letter.error, _FAULT)))
    return sentence.format(error=foreign.text(": ".join(filter(None, (letter.error, letter.message)))))
