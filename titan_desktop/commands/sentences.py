"""The commands' own sentences, in English and in Russian. Those for the core's codes: `client.sentences`."""

import os
from collections.abc import Mapping
from datetime import datetime

from titan_desktop.client import problems
from titan_desktop.client import sentences as codes
from titan_desktop.client.sentences import Language
from titan_desktop.contracts.chat import Delay
from titan_desktop.contracts.faults import Fault
from titan_desktop.contracts.indexing import EmbeddingProgress
from titan_desktop.contracts.problem import Problem
from titan_desktop.contracts.search import ReadFilters
from titan_desktop.contracts.sources import Source

Table = Mapping[str, str]
"""Sentences by key. The lines of a report have keys `doctor.…`."""


def table(language: str, environment: Mapping[str, str] = os.environ) -> Table:
    """Return the table for `language` (of the settings); "system" asks the locale (POSIX, XBD 8.2)."""
    return RUSSIAN if codes.chosen(language, environment) == "ru" else ENGLISH


def language_of(sentences: Table) -> Language:
    """Return the language of a table."""
    return "ru" if sentences is RUSSIAN else "en"


def for_fault(sentences: Table, fault: Fault | None) -> str:
    """Say why an answer failed, and the cure."""
    return codes.fault(language_of(sentences), fault)


def for_delay(sentences: Table, delay: Delay) -> str:
    """Say what an answer waits for, and the cure."""
    return f"titan: {codes.delay(language_of(sentences), delay)}"


def counted(sentences: Table, key: str, count: int) -> str:
    """Return a number with its noun, in the plural form that it needs.

    The forms are in one sentence, separated by bars: English has two, Russian three (Unicode CLDR, plural rules).
    """
    match sentences[key].split("|"):
        case [one, other]:
            form = one if count == 1 else other
        case [one, few, many]:
            last = 0 if count // 10 % 10 == 1 else count % 10  # eleven to nineteen use the form of ten
            form = one if last == 1 else few if last in {2, 3, 4} else many
        case forms:
            raise AssertionError(forms)
    return form.format(count=count)


def for_degraded(sentences: Table, degraded: str) -> str:
    """Say why the search went by words alone."""
    return sentences["degraded"].format(reason=codes.degraded(language_of(sentences), degraded))


def for_vectors(sentences: Table, embedding: EmbeddingProgress) -> str:
    """Say why no vectors are made now, and when it is tried again."""
    reason = codes.degraded(language_of(sentences), embedding.fault)
    time = datetime.fromisoformat(embedding.retry_at).astimezone() if embedding.retry_at else None
    return sentences["doctor.no_vectors"].format(reason=reason, time=f"{time:%H:%M}" if time else "…")


def for_reason(sentences: Table, reason: str) -> str:
    """Say why a file was left out, without a full stop: more follows on the line."""
    return codes.reason(language_of(sentences), reason).rstrip(".")


def for_problem(sentences: Table, problem: Problem | None) -> str:
    """Say what is wrong with a part of Titan, and the cure; "" for nothing."""
    return "" if problem is None else problems.say(language_of(sentences), problem)


def for_refused_folder(sentences: Table, problem: Problem) -> str:
    """Say why a folder is not read, and what to write where so that it is."""
    return f"{for_problem(sentences, problem)} {sentences['allow_folder'].format(**problem.fields)}"


def for_read_filters(sentences: Table, read: ReadFilters) -> str:
    """Say which words of a query were taken for filters, what they say, and whether it was heeded."""
    said = read.filters
    parts = [
        *(f"{sentences['filter.folder']} {folder}" for folder in said.folders),
        *([f"{sentences['filter.kind']} {', '.join(said.kinds)}"] if said.kinds else []),
        *([f"{sentences['filter.since']} {said.since.astimezone():%Y-%m-%d}"] if said.since else []),
        *([f"{sentences['filter.until']} {said.until.astimezone():%Y-%m-%d}"] if said.until else []),
    ]
    words = ", ".join(f"“{word}”" if sentences is ENGLISH else f"«{word}»" for word in read.words)
    key = "filters_dropped" if read.dropped else "filters_read"
    return sentences[key].format(words=words, filters="; ".join(parts))


def for_source(sentences: Table, source: Source) -> str:
    """Say a source's title, and where in its file it stands if that is known: "rent.pdf, p. 3"."""
    return codes.titled(language_of(sentences), source)


ENGLISH: Table = {
    "sources": "Sources:",
    "nearest": "None of your files has these words. Closest in meaning:",
    "instead": "Nothing for “{written}”; shown is “{shown}”.",
    "filters_read": "Read from {words}: {filters}.",
    "filters_dropped": "Read from {words}: {filters}. Nothing fits there; all files were searched.",
    "filter.folder": "in",
    "filter.kind": "kind",
    "filter.since": "changed since",
    "filter.until": "changed before",
    "nothing": "Nothing was found in your files. Try other words: a name, a number, part of a file's name.",
    "connect": (
        "No model is connected: the answer is the passages themselves. Set an OpenAI key with `titan key set`, or"
        " start Ollama and name its model: OPENAI_BASE_URL=http://localhost:11434/v1 TITAN_MODEL=llama3.2."
    ),
    "password": "Password of the stored key (empty: answer without a model): ",
    "wrong_password": "titan: this is not the password.",
    "again": "(the answer starts again)",
    "were_thoughts": "(these were the model's thoughts; here is its answer)",
    "unheard": (
        "Titan is running with other settings than this terminal's: {names} will count when its window is closed."
    ),
    "stopped": "(stopped)",
    "remembered": "Remembered: {fact}",
    "first_scan": "Reading your files",
    "first_scan_late": "Your files are still being read; the answer knows only those read so far.",
    "degraded": "Found by words alone. {reason}",
    "indexing": "Indexing",
    "backup.reading": "Copying",
    "backup.password": "Password for the backup: ",
    "backup.once_more": "Once more: ",
    "backup.no_password": "titan: no password was given, or the two are not the same. No backup was made.",
    "backup.made": "Backup of {conversations} conversations, {messages} messages and what was read of {files} "
    "files: {path}, {size}. Keys of models are not in it, but for those under a password.",
    "backup.readable": "Who has the file can read it; with --password nobody can without the password.",
    "indexed": "Indexed: {files} ({bytes}) in {seconds:.1f} s, {rate:.0f} files/s",
    "unchanged": "Unchanged: {files}",
    "unchanged_failed": "of these could not be read: {files}; `titan doctor` names them",
    "removed": "Removed: {files}",
    "moved": "Moved: {files}",
    "partial": "Read in part: {files}",
    "skipped": "Skipped: {files}",
    "failed": "Failed: {files}",
    "refused": "titan: {path} is refused. {reason}. {cure}",
    "cure.outside": "Titan reads only these folders: {folders}. Copy it there.",
    "allow_folder": "To allow it, write allowed = ['{real}'] under [folders] in {settings} and start Titan again.",
    "cure.other": "Check the path and its permissions.",
    "more": "… and {files} more",
    "stalled": "titan: the core stopped answering, files left: {files}; run `titan doctor`, then index again.",
    "no_question": "titan: there is no question; write it after `ask`, or pipe it in.",
    "no_query": "titan: there is nothing to look for; write it after `search`, or pipe it in.",
    "too_long": "titan: the text is too long: {size} of {limit}. Put it into a file in a folder that Titan reads.",
    "queries_json": "titan: --queries prints JSON lines: add --json, and leave the query out.",
    "cannot_read": "titan: {path} cannot be read: {reason}.",
    "no_folder": "titan: there is nothing to read: no {folders}. Make one of them and put files there.",
    "settings": "titan: {path}: {reason}. Correct the line, or delete the file to start from the defaults.",
    "no_core": "titan: the core could not be reached: {reason}. Run `titan doctor`; its log is {log}.",
    "disk_full": "titan: the disk is full. Free some space at {folder}, then run the command again.",
    "no_answer": "titan: the core gave no answer in time. Try again, or run `titan doctor`.",
    "refused_request": "titan: the core refused: {reason}. Run `titan doctor`.",
    "doctor.core": "core",
    "doctor.process": "process {pid}, {state}",
    "doctor.ready": "ready",
    "doctor.starting": "starting",
    "doctor.unreached": "not reached",
    "doctor.silent": "does not answer",
    "doctor.model": "model",
    "doctor.embedder": "embedder",
    "doctor.none": "none",
    "doctor.key.keyring": "key from keyring",
    "doctor.key.environment": "key from environment",
    "doctor.key.file": "key from the file under your password",
    "doctor.key.memory": "key for this run",
    "doctor.key.none": "no key",
    "doctor.folder": "folder",
    "doctor.watched": "watched",
    "doctor.polled": "polled",
    "doctor.there": "there",
    "doctor.missing": "does not exist",
    "doctor.refused": "not read, see below",
    "doctor.index": "index",
    "doctor.files": "{count} file|{count} files",
    "doctor.passages": "{count} passage|{count} passages",
    "doctor.vectors": "{count} vector|{count} vectors",
    "doctor.unread": "{skipped} skipped, {partial} read in part, {failed} failed",
    "doctor.display": "display",
    "doctor.available": "available",
    "doctor.libraries": "missing",
    "doctor.config": "config",
    "doctor.data": "data",
    "doctor.logs": "logs",
    "doctor.run": "run",
    "doctor.settings_file": "settings",
    "doctor.failures": "Could not be read",
    "doctor.problems": "Problems",
    "doctor.notes": "Notes",
    "doctor.well": "All is well.",
    "doctor.store": "{name} ({place}): {detail}",
    "doctor.store_silent": "It does not answer.",
    "doctor.no_model": "No model is connected: answers are passages. `titan key set` connects OpenAI.",
    "doctor.answers_at": "The model's address is incomplete: the model answers at {url}. Put that into Settings.",
    "doctor.no_vectors": "Vectors are not being made now. {reason} The next try is at {time}.",
    "doctor.no_embedder": (
        "Search by meaning is switched off: search goes by words alone. Choose another embedding model in the"
        " settings, or take “none” out of TITAN_EMBEDDING_MODEL."
    ),
    "doctor.embedder_not_here": (
        "The built-in embedding model is not made for this system: search goes by words alone. Choose another in"
        " the settings, such as nomic-embed-text with Ollama."
    ),
    "doctor.built_in": "built in",
    "doctor.unknown_keys": "{path}: this version does not know {keys}, and leaves them as they are.",
    "doctor.not_watched": "{path} is polled, not watched.",
    "doctor.failed": (
        "{count} file could not be read; it is tried again when it changes, or with `titan index --force PATH`."
        "|{count} files could not be read; each is tried again when it changes, or with"
        " `titan index --force PATH`."
    ),
    "doctor.dead_letters": (
        "{count} job failed. The window's menu shows it and has it tried again."
        "|{count} jobs failed. The window's menu shows them and has them tried again."
    ),
    "doctor.no_tesseract": (
        "Text in pictures and scanned PDFs is not read: Tesseract or its Russian is not installed: {command}"
    ),
    "doctor.no_display": 'There is no display here: the window cannot open, `titan ask "…"` works.',
    "security.tried": "Files are read by processes of their own. One of them has just tried to:",
    "security.act.read_files": "read another file",
    "security.act.write_files": "change a file",
    "security.act.use_network": "use the network",
    "security.act.start_programs": "start a program",
    "security.act.reach_processes": "reach another process",
    "security.refused": "refused by the system",
    "security.possible": "NOT REFUSED: a damaged or hostile file could do it",
    "security.in_force": "In force: {names}.",
    "security.missing": "Missing on this machine: {names}.",
    "files.empty": "There is nothing in it.",
    "files.write": "Written: {path} ({size}).",
    "files.make_folder": "Folder made: {path}.",
    "files.move": "Moved: {path} → {target}.",
    "files.delete": "Moved to the trash: {path}.",
    "files.copy_in": "Copied: {target} → {path} ({size}).",
    "files.copy_out": "Copied: {path} → {target} ({size}).",
    "files.restore": "Taken out of the trash: {path}.",
    "files.undo": "`titan undo {id}` takes it back.",
    "files.forgotten": "Forgotten: passages {passages}, changes {actions}, former contents {contents}. The file"
    " and the trash stay as they are; the file is not read again, unless you say `titan files forget --undo`.",
    "files.permitted": "Files that are read again: {files}.",
    "files.not_forgotten": "Nothing here was forgotten.",
    "memory.erasing": "No receipt yet: what is left of it in files is erased in the background.",
    "files.incomplete": "titan: some bytes may be left in a server's files; core.log names them. Try again later.",
    "files.store_unavailable": "Not all could be erased now. Try again, or run `titan doctor`.",
    "files.not_text": "It is not a text. `titan search` finds what is in documents.",
    "files.not_regular": "It is neither a file nor a folder that can be shown.",
    "undo.write": "{path} gets its former content back ({size}).",
    "undo.delete": "{path} goes to the trash.",
    "undo.move": "{path} moves back to {target}.",
    "undo.restore": "{path} comes back from the trash.",
    "undo.copy_out": "{path} was copied to {target}; the copy stays.",
    "undo.make_folder": "{path} stays.",
    "undo.copy_in": "{path} stays.",
    "undo.more": "and more of this run",
    "undo.ask": "Undo? [y/N] ",
    "undo.left": "titan: nothing was changed.",
    "undo.needs_yes": "titan: nobody can be asked here. To undo this, add --yes.",
    "undo.nothing": "titan: there is nothing to undo. `titan undo --list` shows what was changed.",
    "undo.none": "Titan has not changed any file.",
    "undo.list.write": "wrote",
    "undo.list.make_folder": "made",
    "undo.list.move": "moved",
    "undo.list.delete": "deleted",
    "undo.list.copy_in": "copied",
    "undo.list.copy_out": "copied",
    "undo.list.restore": "restored",
    "undo.list.refused": "refused",
    "undo.list.undone": "undone",
    "memory.remember": "Remembered: {text}  ({id})",
    "memory.correct": "Corrected: {text}  ({id})",
    "memory.pin": "Pinned: {text}",
    "memory.unpinned": "No longer pinned: {text}",
    "memory.forget": "Forgotten. What was said in conversations and stands in files stays there.",
    "memory.nothing_said": "Nothing like this was said or is remembered. Try other words.",
    "memory.a_fact": "a fact",
    "memory.by_user": "you",
    "memory.by_assistant": "Titan",
    "explain.nothing": "titan: There is no such answer. `last` means the newest one.",
    "explain.no_sources": "It rests on no file, message or fact.",
    "explain.forgotten": "This fact is forgotten: where it was from is not known any more.",
    "explain.answer": "Answer",
    "explain.question": "Question",
    "explain.conversation": "Conversation",
    "explain.model": "Model",
    "explain.event": "Event",
    "import.reading": "Reading …",
    "import.indexing": "making it findable",
    "import.done": "Imported {new} messages; {known} were there already, {bad} lines were passed over.",
    "import.bad": "line {line}: {why}",
    "import.no_message": 'it is no message: write {"id": …, "conversation": …, "role": …, "text": …, '
    '"created_at": …}',
    "import.too_long": "it is too long: a text may have 24,000 bytes, a name 500 characters. Split it",
    "import.empty": "its id, conversation or text is empty",
    "import.role": 'its role is neither "user" nor "assistant"',
    "import.time": "its created_at is no time: write 2026-03-01T10:00:00Z",
    "memory.nothing": "Nothing of this is remembered. `titan memory remember TEXT` remembers something.",
    "memory.no_text": 'titan: what is to be remembered? titan memory remember "The key is under the mat"',
    "memory.pinned": "pinned",
    "memory.state": "State",
    "memory.state.holds": "holds",
    "memory.state.proposed": "proposed",
    "memory.state.refused": "refused",
    "memory.state.corrected": "corrected",
    "memory.since": "Since",
    "memory.until": "Until",
    "memory.learned": "Learned",
    "memory.origin": "From",
    "memory.event": "Event",
    "memory.history": "History",
    "memory.rebuilt": "Made anew. Files with the same text as before: {same}; "
    "with another: {changed}; gained: {gained}; lost: {lost}.",
    "memory.changed": "changed",
    "memory.gained": "gained",
    "memory.lost": "lost",
    "memory.graph_rebuilt": "The graph has {files} files, and the facts.",
    "memory.graph_later": "The graph is away; it is made anew as soon as it is there.",
    "memory.by_person": "you wrote it to Titan",
    "memory.from_message": "message {message} in conversation {conversation}",
}

RUSSIAN: Table = {
    "sources": "Источники:",
    "nearest": "Таких слов в ваших файлах нет. Ближе всего по смыслу:",
    "instead": "Ничего по «{written}»; показано «{shown}».",
    "filters_read": "Прочитано из {words}: {filters}.",
    "filters_dropped": "Прочитано из {words}: {filters}. Там ничего не подходит, поиск шёл по всем файлам.",
    "filter.folder": "в папке",
    "filter.kind": "вид",
    "filter.since": "изменены с",
    "filter.until": "изменены до",
    "nothing": "В ваших файлах ничего не найдено. Попробуйте другие слова: имя, номер, часть названия файла.",
    "connect": (
        "Модель не подключена: ответ — это сами отрывки. Задайте ключ OpenAI (`titan key set`) или запустите"
        " Ollama и назовите её модель: OPENAI_BASE_URL=http://localhost:11434/v1 TITAN_MODEL=llama3.2."
    ),
    "password": "Пароль от сохранённого ключа (пусто — ответ без модели): ",
    "wrong_password": "titan: пароль неверен.",
    "again": "(ответ начат заново)",
    "were_thoughts": "(это были размышления модели; вот её ответ)",
    "unheard": (
        "Titan запущен с другими настройками, чем в этом терминале: {names} подействует, когда закроют его окно."
    ),
    "remembered": "Запомнено: {fact}",
    "stopped": "(остановлено)",
    "first_scan": "Читаю ваши файлы",
    "first_scan_late": "Файлы ещё читаются; ответ знает только прочитанные.",
    "degraded": "Найдено только по словам. {reason}",
    "indexing": "Индексирую",
    "backup.reading": "Копирую",
    "backup.password": "Пароль для копии: ",
    "backup.once_more": "Ещё раз: ",
    "backup.no_password": "titan: пароль не задан или введён по-разному. Копия не сделана.",
    "backup.made": "Копия сделана (разговоров {conversations}, сообщений {messages}, прочитанных файлов "
    "{files}): {path}, {size}. Ключей моделей в ней нет, кроме тех, что под паролем.",
    "backup.readable": "Кто получит файл, сможет его прочитать; с --password — только зная пароль.",
    "indexed": "Проиндексировано: {files} ({bytes}) за {seconds:.1f} с, файлов в секунду: {rate:.0f}",
    "unchanged": "Без изменений: {files}",
    "unchanged_failed": "из них не прочитано: {files}; `titan doctor` назовёт их",
    "removed": "Удалено из индекса: {files}",
    "moved": "Перемещено: {files}",
    "partial": "Прочитано частично: {files}",
    "skipped": "Пропущено: {files}",
    "failed": "Не прочитано: {files}",
    "refused": "titan: отказано в доступе к {path}. {reason}. {cure}",
    "cure.outside": "Titan читает только эти папки: {folders}. Скопируйте туда.",
    "allow_folder": (
        "Чтобы разрешить, впишите allowed = ['{real}'] в раздел [folders] файла {settings} и запустите Titan"
        " снова."
    ),
    "cure.other": "Проверьте путь и права доступа.",
    "more": "… и ещё {files}",
    "stalled": "titan: ядро перестало отвечать, осталось файлов: {files}; запустите `titan doctor` и повторите.",
    "no_question": "titan: нет вопроса; напишите его после `ask` или передайте через канал.",
    "no_query": "titan: нечего искать; напишите запрос после `search` или передайте через канал.",
    "too_long": "titan: слишком длинный текст: {size} из {limit}. Положите его файлом в папку для Titan.",
    "queries_json": "titan: --queries печатает строки JSON: добавьте --json и уберите сам запрос.",
    "cannot_read": "titan: не удаётся прочитать {path}: {reason}.",
    "no_folder": "titan: читать нечего: нет {folders}. Создайте одну из этих папок и положите туда файлы.",
    "settings": "titan: {path}: {reason}. Исправьте строку или удалите файл: Titan начнёт с обычных настроек.",
    "no_core": "titan: нет связи с ядром: {reason}. Запустите `titan doctor`; журнал ядра: {log}.",
    "disk_full": "titan: диск заполнен. Освободите место в {folder} и повторите команду.",
    "no_answer": "titan: ядро не ответило вовремя. Повторите или запустите `titan doctor`.",
    "refused_request": "titan: ядро отказало: {reason}. Запустите `titan doctor`.",
    "doctor.core": "ядро",
    "doctor.process": "процесс {pid}, {state}",
    "doctor.ready": "готово",
    "doctor.starting": "запускается",
    "doctor.unreached": "нет связи",
    "doctor.silent": "не отвечает",
    "doctor.model": "модель",
    "doctor.embedder": "векторы",
    "doctor.none": "нет",
    "doctor.key.keyring": "ключ из хранилища паролей",
    "doctor.key.environment": "ключ из переменной окружения",
    "doctor.key.file": "ключ из файла под паролем",
    "doctor.key.memory": "ключ до перезапуска",
    "doctor.key.none": "без ключа",
    "doctor.folder": "папка",
    "doctor.watched": "изменения видны сразу",
    "doctor.polled": "проверяется время от времени",
    "doctor.there": "на месте",
    "doctor.missing": "не существует",
    "doctor.refused": "не читается, причина ниже",
    "doctor.index": "индекс",
    "doctor.files": "{count} файл|{count} файла|{count} файлов",
    "doctor.passages": "{count} отрывок|{count} отрывка|{count} отрывков",
    "doctor.vectors": "{count} вектор|{count} вектора|{count} векторов",
    "doctor.unread": "пропущено: {skipped}, прочитано частично: {partial}, не прочитано: {failed}",
    "doctor.display": "экран",
    "doctor.available": "есть",
    "doctor.libraries": "не хватает",
    "doctor.config": "настройки",
    "doctor.data": "данные",
    "doctor.logs": "журналы",
    "doctor.run": "сокеты",
    "doctor.settings_file": "файл",
    "doctor.failures": "Не прочитано",
    "doctor.problems": "Неполадки",
    "doctor.notes": "Примечания",
    "doctor.well": "Всё в порядке.",
    "doctor.store": "{name} ({place}): {detail}",
    "doctor.store_silent": "Не отвечает.",
    "doctor.no_model": "Модель не подключена: ответы — это отрывки. `titan key set` подключает OpenAI.",
    "doctor.answers_at": "Адрес модели неполный: она отвечает по адресу {url}. Укажите его в настройках.",
    "doctor.no_vectors": "Векторы сейчас не создаются. {reason} Следующая попытка в {time}.",
    "doctor.no_embedder": (
        "Поиск по смыслу выключен: поиск идёт только по словам. Выберите модель эмбеддингов в настройках или"
        " уберите «none» из TITAN_EMBEDDING_MODEL."
    ),
    "doctor.embedder_not_here": (
        "Для этой системы нет встроенной модели эмбеддингов: поиск идёт только по словам. Выберите другую в"
        " настройках, например nomic-embed-text в Ollama."
    ),
    "doctor.built_in": "встроена",
    "doctor.unknown_keys": "{path}: эта версия не знает {keys}. Неизвестное остаётся в файле без изменений.",
    "doctor.not_watched": "{path}: система не сообщает об изменениях, папка проверяется время от времени.",
    "doctor.failed": (
        "{count} файл не прочитан; Titan попробует снова, когда он изменится или по `titan index --force ПУТЬ`."
        "|{count} файла не прочитано; Titan попробует снова, когда они изменятся или по"
        " `titan index --force ПУТЬ`."
        "|{count} файлов не прочитано; Titan попробует снова, когда они изменятся или по"
        " `titan index --force ПУТЬ`."
    ),
    "doctor.dead_letters": (
        "{count} задача не выполнена. Она есть в меню окна, там же её можно повторить."
        "|{count} задачи не выполнены. Они есть в меню окна, там же их можно повторить."
        "|{count} задач не выполнено. Они есть в меню окна, там же их можно повторить."
    ),
    "doctor.no_tesseract": (
        "Текст на картинках и в сканах PDF не читается: не установлен Tesseract или его русский язык: {command}"
    ),
    "doctor.no_display": 'Здесь нет экрана: окно открыть нельзя, `titan ask "…"` работает.',
    "security.tried": "Файлы читают отдельные процессы. Один из них только что попробовал:",
    "security.act.read_files": "прочитать чужой файл",
    "security.act.write_files": "изменить файл",
    "security.act.use_network": "выйти в сеть",
    "security.act.start_programs": "запустить программу",
    "security.act.reach_processes": "добраться до другого процесса",
    "security.refused": "система отказала",
    "security.possible": "НЕ ОТКАЗАНО: это мог бы сделать испорченный или вредоносный файл",
    "security.in_force": "Действует: {names}.",
    "security.missing": "На этом компьютере нет: {names}.",
    "files.empty": "Здесь ничего нет.",
    "files.write": "Записано: {path} ({size}).",
    "files.make_folder": "Создана папка: {path}.",
    "files.move": "Перемещено: {path} → {target}.",
    "files.delete": "Перемещено в корзину: {path}.",
    "files.copy_in": "Скопировано: {target} → {path} ({size}).",
    "files.copy_out": "Скопировано: {path} → {target} ({size}).",
    "files.restore": "Возвращено из корзины: {path}.",
    "files.undo": "Отменить: `titan undo {id}`.",
    "files.forgotten": "Забыто: отрывков {passages}, изменений {actions}, прежних версий {contents}. Сам файл и"
    " корзина не тронуты; файл больше не читается, пока вы не скажете `titan files forget --undo`.",
    "files.permitted": "Снова читаются файлы: {files}.",
    "files.not_forgotten": "Здесь ничего не было забыто.",
    "memory.erasing": "Квитанции пока нет: следы этого в файлах стираются в фоне.",
    "files.incomplete": "titan: что-то могло остаться в файлах сервера, их назовёт core.log. Повторите позже.",
    "files.store_unavailable": "Сейчас стёрто не всё. Повторите или запустите `titan doctor`.",
    "files.not_text": "Это не текст. Содержимое документов находит `titan search`.",
    "files.not_regular": "Это не файл и не папка, которые можно показать.",
    "undo.write": "{path}: вернётся прежнее содержимое ({size}).",
    "undo.delete": "{path}: попадёт в корзину.",
    "undo.move": "{path}: вернётся в {target}.",
    "undo.restore": "{path}: вернётся из корзины.",
    "undo.copy_out": "{path}: копия {target} останется.",
    "undo.make_folder": "{path}: останется.",
    "undo.copy_in": "{path}: останется.",
    "undo.more": "и другие действия этого запуска",
    "undo.ask": "Отменить? [д/Н] ",
    "undo.left": "titan: ничего не изменено.",
    "undo.needs_yes": "titan: здесь некому подтвердить. Чтобы отменить, добавьте --yes.",
    "undo.nothing": "titan: отменять нечего. Все изменения показывает `titan undo --list`.",
    "undo.none": "Titan не менял файлов.",
    "undo.list.write": "записал",
    "undo.list.make_folder": "создал",
    "undo.list.move": "переместил",
    "undo.list.delete": "удалил",
    "undo.list.copy_in": "скопировал",
    "undo.list.copy_out": "скопировал",
    "undo.list.restore": "вернул",
    "undo.list.refused": "отказано",
    "undo.list.undone": "отменено",
    "memory.remember": "Запомнено: {text}  ({id})",
    "memory.correct": "Исправлено: {text}  ({id})",
    "memory.pin": "Закреплено: {text}",
    "memory.unpinned": "Больше не закреплено: {text}",
    "memory.forget": "Забыто. Сказанное в беседах и написанное в файлах осталось там.",
    "memory.nothing_said": "Ничего похожего не говорилось, и Titan такого не помнит. Попробуйте другие слова.",
    "memory.a_fact": "факт",
    "memory.by_user": "вы",
    "memory.by_assistant": "Titan",
    "explain.nothing": "titan: Такого ответа нет. `last` — самый новый.",
    "explain.no_sources": "Он не опирается ни на файлы, ни на сообщения, ни на факты.",
    "explain.forgotten": "Этот факт забыт: откуда он, уже не известно.",
    "explain.answer": "Ответ",
    "explain.question": "Вопрос",
    "explain.conversation": "Беседа",
    "explain.model": "Модель",
    "explain.event": "Событие",
    "import.reading": "Чтение …",
    "import.indexing": "внесение в поиск",
    "import.done": "Добавлено сообщений: {new}; уже были: {known}, пропущено строк: {bad}.",
    "import.bad": "строка {line}: {why}",
    "import.no_message": 'это не сообщение: нужно {"id": …, "conversation": …, "role": …, "text": …, '
    '"created_at": …}',
    "import.too_long": "слишком длинно: в тексте до 24 000 байт, в имени до 500 знаков. Разделите его",
    "import.empty": "пустой id, conversation или text",
    "import.role": 'role — не "user" и не "assistant"',
    "import.time": "created_at — не время: нужно 2026-03-01T10:00:00Z",
    "memory.nothing": "Ничего такого Titan не помнит. `titan memory remember ТЕКСТ` запомнит.",
    "memory.no_text": "titan: что запомнить? titan memory remember «Ключ под ковриком»",
    "memory.pinned": "закреплено",
    "memory.state": "Состояние",
    "memory.state.holds": "верно",
    "memory.state.proposed": "предложено",
    "memory.state.refused": "отклонено",
    "memory.state.corrected": "исправлено",
    "memory.since": "С",
    "memory.until": "До",
    "memory.learned": "Узнано",
    "memory.origin": "Откуда",
    "memory.event": "Событие",
    "memory.history": "История",
    "memory.rebuilt": "Построено заново. Файлов с прежним текстом: {same}; "
    "с другим: {changed}; появилось: {gained}; пропало: {lost}.",
    "memory.changed": "другой текст",
    "memory.gained": "появился",
    "memory.lost": "пропал",
    "memory.graph_rebuilt": "В графе файлов: {files}, и факты.",
    "memory.graph_later": "Граф сейчас недоступен; он будет построен заново, как только появится.",
    "memory.by_person": "вы написали это Titan",
    "memory.from_message": "сообщение {message} в беседе {conversation}",
}
