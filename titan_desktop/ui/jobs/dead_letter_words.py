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
    "assistant_message": QT_TRANSLATE_NOOP("DeadLetter", "Make an answer findable"),
    "read_settings": QT_TRANSLATE_NOOP("DeadLetter", "Take over new settings"),
    "redrive_dead_letters": QT_TRANSLATE_NOOP("DeadLetter", "Try failed jobs again"),
    "drop_dead_letters": QT_TRANSLATE_NOOP("DeadLetter", "Remove failed jobs"),
    "make_backup": QT_TRANSLATE_NOOP("DeadLetter", "Make a backup"),
    "remember": QT_TRANSLATE_NOOP("DeadLetter", "Remember a fact"),
    "user_message": QT_TRANSLATE_NOOP("DeadLetter", "Remember what a message asks to remember"),
    "propose_fact": QT_TRANSLATE_NOOP("DeadLetter", "Keep a proposed fact"),
    "correct_fact": QT_TRANSLATE_NOOP("DeadLetter", "Correct a fact"),
    "close_fact": QT_TRANSLATE_NOOP("DeadLetter", "Say until when a fact held"),
    "pin_fact": QT_TRANSLATE_NOOP("DeadLetter", "Pin a fact"),
    "forget_fact": QT_TRANSLATE_NOOP("DeadLetter", "Forget a fact"),
    "forget_entity": QT_TRANSLATE_NOOP("DeadLetter", "Forget a person or thing"),
    "memory_forgotten": QT_TRANSLATE_NOOP("DeadLetter", "Erase what a forgotten fact has left"),
    "accept_proposals": QT_TRANSLATE_NOOP("DeadLetter", "Accept proposed facts"),
    "refuse_proposals": QT_TRANSLATE_NOOP("DeadLetter", "Refuse proposed facts"),
    "drop_rule": QT_TRANSLATE_NOOP("DeadLetter", "Remove a rule for proposed facts"),
    "merge_entities": QT_TRANSLATE_NOOP("DeadLetter", "Make one person or thing of two"),
    "undo_merge": QT_TRANSLATE_NOOP("DeadLetter", "Make two of one again"),
    "rebuild_graph": QT_TRANSLATE_NOOP("DeadLetter", "Make the graph anew"),
    "write_file": QT_TRANSLATE_NOOP("DeadLetter", "Write a file"),
    "make_folder": QT_TRANSLATE_NOOP("DeadLetter", "Make a folder"),
    "move_path": QT_TRANSLATE_NOOP("DeadLetter", "Move a file or folder"),
    "delete_path": QT_TRANSLATE_NOOP("DeadLetter", "Move a file or folder to the trash"),
    "copy_in": QT_TRANSLATE_NOOP("DeadLetter", "Copy a file in"),
    "copy_out": QT_TRANSLATE_NOOP("DeadLetter", "Copy a file out"),
    "undo_action": QT_TRANSLATE_NOOP("DeadLetter", "Undo a change"),
    "undo_run": QT_TRANSLATE_NOOP("DeadLetter", "Undo changes"),
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
