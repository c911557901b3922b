"""Sentences for changes of files that were refused: why, and the cure. For the window and the commands."""

from collections.abc import Mapping

from titan_desktop.client import foreign, sizes
from titan_desktop.client.sentences import Language, Words
from titan_desktop.contracts.file_actions import Refusal


def refusal(language: Language, code: Refusal, detail: str = "") -> str:
    """Return why nothing was changed, and the cure; "" for NONE. `detail` as the action has it."""
    if code is Refusal.TOO_LARGE:
        detail = sizes.size(language, int(detail)) if detail.isdecimal() else detail
    said = REFUSALS[code].say(language, detail=foreign.isolated(detail))
    return said.replace(" ()", "")


REFUSALS: Mapping[Refusal, Words] = {
    Refusal.NONE: Words("", ""),
    Refusal.OUTSIDE: Words(
        "It lies outside the folders that Titan may read. Choose a place in one of them.",
        "Это вне папок, к которым у Titan есть доступ. Выберите место в одной из них.",
    ),
    Refusal.ROOT: Words(
        "It is one of the folders that Titan reads. Choose something in it.",
        "Это одна из папок, которые читает Titan. Выберите что-нибудь внутри неё.",
    ),
    Refusal.VANISHED: Words(
        "It, or the folder that it is to go into, is not there. Check the path; a folder is made with"
        " `titan files mkdir`.",
        "Этого или папки, куда это должно попасть, нет. Проверьте путь; папку создаёт `titan files mkdir`.",
    ),
    Refusal.NOT_REGULAR: Words(
        "It is neither a file nor a folder that this can be done with.",
        "Это не файл и не папка, с которыми такое возможно.",
    ),
    Refusal.NO_FOLDER: Words(
        "A file stands where the path has a folder. Check the path.",
        "На месте папки в этом пути стоит файл. Проверьте путь.",
    ),
    Refusal.EXISTS: Words(
        "The name is taken, and nothing is overwritten unasked. Choose another name, add --number, or --replace"
        " for a file's content.",
        "Имя занято, а без спроса ничего не перезаписывается. Выберите другое имя, добавьте --number или, чтобы"
        " заменить содержимое файла, --replace.",
    ),
    Refusal.CHANGED: Words(
        "Somebody has changed it since. `titan undo --force` does it all the same, and keeps what is there now.",
        "С тех пор это изменили. `titan undo --force` всё равно вернёт прежнее и сохранит нынешнее.",
    ),
    Refusal.NAME: Words(
        "The disk takes no such name. Choose a shorter or simpler one.",
        "Такое имя на этом диске невозможно. Выберите имя короче или проще.",
    ),
    Refusal.WITHIN_ITSELF: Words(
        "A folder cannot go into itself. Choose another place.",
        "Папку нельзя поместить в неё саму. Выберите другое место.",
    ),
    Refusal.OTHER_DISK: Words(
        "It is on another disk. Copy it there with `titan files copy-in`, then delete it here.",
        "Это на другом диске. Скопируйте туда командой `titan files copy-in`, затем удалите здесь.",
    ),
    Refusal.FORBIDDEN: Words(
        "You have no right to change this ({detail}). Check its permissions and those of its folder.",
        "Нет прав на это изменение ({detail}). Проверьте права на файл и на его папку.",
    ),
    Refusal.DISK_FULL: Words(
        "The disk is full; nothing was changed. Free some space and try again.",
        "Диск заполнен, ничего не изменено. Освободите место и повторите.",
    ),
    Refusal.NO_TRASH: Words(
        "This disk has no trash that can be used ({detail}). Delete it in your file manager.",
        "На этом диске нет доступной корзины ({detail}). Удалите в файловом менеджере.",
    ),
    Refusal.TOO_LARGE: Words(
        "What is there is too large to be kept for undoing ({detail} at most). Add --no-undo to replace it all"
        " the same.",
        "Нынешнее содержимое слишком велико, чтобы сохранить его для отмены (не более {detail}). Чтобы всё равно"
        " заменить, добавьте --no-undo.",
    ),
    Refusal.NOT_KEPT: Words(
        "What was there is kept no longer: the trash was emptied, or it was too large or too old.",
        "Прежнее больше не хранится: корзину очистили, или оно было слишком велико или старо.",
    ),
    Refusal.NOT_HANDED: Words(
        "The new content has not arrived. Try again.",
        "Новое содержимое не дошло. Повторите.",
    ),
    Refusal.SOURCE: Words(
        "The file to copy cannot be read ({detail}). Check its path.",
        "Копируемый файл не читается ({detail}). Проверьте путь.",
    ),
    Refusal.UNKNOWN: Words(
        "There is no such action. `titan undo --list` shows all.",
        "Такого действия нет. Все показывает `titan undo --list`.",
    ),
    Refusal.UNDONE: Words(
        "It has been undone already. To do it again, undo that.",
        "Это уже отменено. Чтобы вернуть, отмените отмену.",
    ),
    Refusal.NOT_UNDOABLE: Words(
        "There is nothing to undo: it changed nothing in the folders.",
        "Отменять нечего: в папках ничего не менялось.",
    ),
    Refusal.SYSTEM: Words(
        "The system refused it ({detail}); nothing was changed.",
        "Система отказала ({detail}); ничего не изменено.",
    ),
}
