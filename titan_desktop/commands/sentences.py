"""What the commands say, in English and in Russian: one table for each language, and the choice between them."""

import os
from collections.abc import Mapping

from titan_desktop.contracts.chat import Delay
from titan_desktop.contracts.faults import Fault
from titan_desktop.contracts.memory import Reason
from titan_desktop.contracts.sources import Cells, FilePassage, Lines, Pages, Slides, Source

Table = Mapping[str, str]
"""Sentences by key. Faults have the keys `fault.…`, reasons `reason.…`, the lines of a report `doctor.…`."""


def table(language: str, environment: Mapping[str, str] = os.environ) -> Table:
    """Return the table for `language` (of the settings); "system" asks the locale (POSIX, XBD 8.2)."""
    if language == "system":
        chosen = (environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
        language = "ru" if next(filter(None, chosen), "").lower().startswith("ru") else "en"
    return RUSSIAN if language == "ru" else ENGLISH


def for_fault(sentences: Table, fault: Fault | None) -> str:
    """Say why an answer failed, and the cure."""
    return sentences[f"fault.{fault or Fault.INTERNAL}"]


def for_delay(sentences: Table, delay: Delay) -> str:
    """Say what an answer waits for, and the cure."""
    return sentences[f"delay.{delay}"]


def counted(sentences: Table, key: str, count: int) -> str:
    """Say how many, in the form that the number asks for.

    The forms stand in one sentence, parted by bars: English has two, Russian three (Unicode CLDR, plural rules).
    """
    match sentences[key].split("|"):
        case [one, other]:
            form = one if count == 1 else other
        case [one, few, many]:
            last = 0 if count // 10 % 10 == 1 else count % 10  # eleven to nineteen go like ten
            form = one if last == 1 else few if last in {2, 3, 4} else many
        case forms:
            raise AssertionError(forms)
    return form.format(count=count)


def for_degraded(sentences: Table, degraded: str) -> str:
    """Say why the search went by words alone. What is no fault of an embedder is said as it is."""
    fault = degraded.partition(":")[0]
    return sentences["degraded"].format(reason=sentences.get(f"degraded.{fault}", degraded))


def for_reason(sentences: Table, reason: str) -> str:
    """Say why a file was left out. An unknown reason, of a newer core, is said as it is."""
    return sentences.get(f"reason.{reason}", reason) if reason != Reason.NONE else ""


def for_source(sentences: Table, source: Source) -> str:
    """Say a source's title, and where in its file it stands if that is known: "rent.pdf, p. 3"."""
    return ", ".join(filter(None, (source.title, _place(sentences, source))))


def _place(sentences: Table, source: Source) -> str:
    match source:
        case FilePassage(place=Cells() as cells):
            key = "cells" if cells.first != cells.last else "cell" if cells.first else "sheet"
            return sentences[f"place.{key}"].format(sheet=cells.sheet, first=cells.first, last=cells.last)
        case FilePassage(place=Pages() | Slides() | Lines() as span):
            unit = type(span).__name__.lower()
            key = unit if span.first != span.last else unit.removesuffix("s")
            return sentences[f"place.{key}"].format(first=span.first, last=span.last)
    return ""


ENGLISH: Table = {
    "fault.wrong_key": "The endpoint refused the key. Set the right one: `titan key set`, or OPENAI_API_KEY.",
    "fault.unreachable": "The model's endpoint cannot be reached. Check the network and its address.",
    "fault.model_not_found": "The endpoint knows no such model. Choose another: in the settings or TITAN_MODEL.",
    "fault.rate_limited": "The endpoint is asked too often. Wait a minute and ask again.",
    "fault.quota_exceeded": "The account has no credit left. Top it up, or connect another model.",
    "fault.context_too_long": "The conversation is too long for this model. Start a new one.",
    "fault.timed_out": "The answer took too long. Ask again, or give it more time with --timeout.",
    "fault.refused": "The endpoint refused the question. Ask it in other words.",
    "fault.server_error": "The model's endpoint failed. Try again in a moment.",
    "fault.malformed": "The endpoint gave an answer that cannot be read. Check its address and the model's name.",
    "fault.internal": "Titan failed to answer. Try again; the log of the core says more.",
    "reason.unsupported": "not a kind of file that Titan reads",
    "reason.empty": "the file is empty",
    "reason.no_text": "there is no text in it",
    "reason.too_large": "the file is too large",
    "reason.encrypted": "it is protected by a password",
    "reason.broken": "the file is damaged",
    "reason.timed_out": "reading it took too long",
    "reason.out_of_memory": "reading it took too much memory",
    "reason.crashed": "it crashed the reader",
    "reason.outside": "it lies outside the folders that Titan may read",
    "reason.unreadable": "it may not be read",
    "reason.vanished": "it is not there",
    "reason.not_regular": "it is not an ordinary file",
    "place.page": "p. {first}",
    "place.pages": "pp. {first}–{last}",
    "place.slide": "slide {first}",
    "place.slides": "slides {first}–{last}",
    "place.line": "line {first}",
    "place.lines": "lines {first}–{last}",
    "place.sheet": "sheet {sheet}",
    "place.cell": "sheet {sheet}, {first}",
    "place.cells": "sheet {sheet}, {first}:{last}",
    "sources": "Sources:",
    "nothing": "Nothing was found in your files.",
    "connect": (
        "No model is connected: the answer is the passages themselves. Set an OpenAI key with `titan key set`, or"
        " start Ollama and name its model: OPENAI_BASE_URL=http://localhost:11434/v1 TITAN_MODEL=llama3.2."
    ),
    "again": "(the answer starts again)",
    "unheard": (
        "Titan is running with other settings than this terminal's: {names} will count when its window is closed."
    ),
    "stopped": "(stopped)",
    "delay.disk_full": "titan: the disk is full. The answer is kept until it can be stored: free some space.",
    "first_scan": "Reading your files",
    "first_scan_late": "Your files are still being read; the answer knows only those read so far.",
    "degraded": "Found by words alone: {reason}",
    "degraded.unreachable": "the endpoint of the embedding model cannot be reached. Check the network.",
    "degraded.timed_out": "the endpoint of the embedding model took too long. Try again in a moment.",
    "degraded.wrong_key": "the endpoint of the embedding model refused the key. Set the right one.",
    "degraded.model_not_found": "the endpoint does not know the embedding model. Name another in the settings.",
    "degraded.rate_limited": "the endpoint of the embedding model is asked too often. Wait a minute.",
    "degraded.server_error": "the endpoint of the embedding model failed. Try again in a moment.",
    "degraded.quota_exceeded": "the account of the embedding model has no credit left. Top it up.",
    "degraded.refused": "the embedding model refused the question. Ask it in other words.",
    "degraded.context_too_long": "the question is too long for the embedding model. Shorten it.",
    "degraded.malformed": "the endpoint gave no vectors. Check that its model is one for embeddings.",
    "indexing": "Indexing",
    "indexed": "Indexed: {files} ({bytes}) in {seconds:.1f} s, {rate:.0f} files/s",
    "unchanged": "Unchanged: {files}",
    "unchanged_failed": "of these could not be read: {files}; `titan doctor` names them",
    "removed": "Removed: {files}",
    "skipped": "Skipped: {files}",
    "failed": "Failed: {files}",
    "refused": "titan: {path} is refused: {reason}. {cure}",
    "cure.outside": "Titan reads your Desktop and Downloads alone: copy it there.",
    "cure.other": "Check the path and its permissions.",
    "more": "… and {files} more",
    "stalled": "titan: the core stopped answering, files left: {files}; run `titan doctor`, then index again.",
    "no_question": "titan: there is no question; write it after `ask`, or pipe it in.",
    "no_query": "titan: there is nothing to look for; write it after `search`, or pipe it in.",
    "too_long": "titan: the text is too long: {bytes} bytes, {limit} at most. Shorten it.",
    "queries_json": "titan: --queries prints JSON lines: add --json, and leave the query out.",
    "cannot_read": "titan: {path} cannot be read: {reason}.",
    "no_folder": "titan: there is nothing to read: no {folders}. Make one of them and put files there.",
    "settings": "titan: {path}: {reason}. Correct the line, or delete the file to start from the defaults.",
    "no_core": "titan: the core could not be reached: {reason}. Run `titan doctor`; its log is {log}.",
    "disk_full": "titan: the disk is full. Free some of it at {folder}, then run the command again.",
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
    "doctor.key.none": "no key",
    "doctor.folder": "folder",
    "doctor.watched": "watched",
    "doctor.polled": "polled",
    "doctor.there": "there",
    "doctor.missing": "does not exist",
    "doctor.index": "index",
    "doctor.files": "{count} file|{count} files",
    "doctor.passages": "{count} passage|{count} passages",
    "doctor.vectors": "{count} vector|{count} vectors",
    "doctor.left_out": "{skipped} skipped, {failed} failed",
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
    "doctor.no_embedder": (
        "No embedder is connected: search goes by words alone. TITAN_EMBEDDING_MODEL names one."
    ),
    "doctor.unknown_keys": "{path}: this version does not know {keys}. What it does not know it leaves as it is.",
    "doctor.not_watched": "{path} is polled, not watched.",
    "doctor.failed": (
        "{count} file could not be read; it is tried again when it changes, or with `titan index --force PATH`."
        "|{count} files could not be read; each is tried again when it changes, or with"
        " `titan index --force PATH`."
    ),
    "doctor.dead_letters": (
        "{count} task could not be done. The window's menu shows it and has it tried again."
        "|{count} tasks could not be done. The window's menu shows them and has them tried again."
    ),
    "doctor.no_display": 'There is no display here: the window cannot open, `titan ask "…"` works.',
}

RUSSIAN: Table = {
    "fault.wrong_key": "Сервер модели не принял ключ. Задайте верный: `titan key set` или OPENAI_API_KEY.",
    "fault.unreachable": "Сервер модели недоступен. Проверьте сеть и адрес в настройках.",
    "fault.model_not_found": "Сервер не знает такой модели. Выберите другую в настройках или в TITAN_MODEL.",
    "fault.rate_limited": "Слишком много запросов. Подождите минуту и спросите снова.",
    "fault.quota_exceeded": "На счёте не осталось средств. Пополните его или подключите другую модель.",
    "fault.context_too_long": "Беседа слишком длинна для этой модели. Начните новую.",
    "fault.timed_out": "Ответ занял слишком много времени. Спросите снова или увеличьте --timeout.",
    "fault.refused": "Сервер отклонил вопрос. Задайте его другими словами.",
    "fault.server_error": "Ошибка на сервере модели. Повторите чуть позже.",
    "fault.malformed": "Сервер модели прислал ответ, который нельзя прочитать. Проверьте адрес и имя модели.",
    "fault.internal": "Titan не смог ответить. Повторите; подробности в журнале ядра.",
    "reason.unsupported": "файлы этого вида Titan не читает",
    "reason.empty": "файл пуст",
    "reason.no_text": "в нём нет текста",
    "reason.too_large": "файл слишком велик",
    "reason.encrypted": "файл защищён паролем",
    "reason.broken": "файл повреждён",
    "reason.timed_out": "чтение заняло слишком много времени",
    "reason.out_of_memory": "чтение заняло слишком много памяти",
    "reason.crashed": "файл обрушил программу чтения",
    "reason.outside": "он вне папок, которые Titan может читать",
    "reason.unreadable": "нет прав на чтение",
    "reason.vanished": "его нет на месте",
    "reason.not_regular": "это не обычный файл",
    "place.page": "стр. {first}",
    "place.pages": "стр. {first}–{last}",
    "place.slide": "слайд {first}",
    "place.slides": "слайды {first}–{last}",
    "place.line": "строка {first}",
    "place.lines": "строки {first}–{last}",
    "place.sheet": "лист {sheet}",
    "place.cell": "лист {sheet}, {first}",
    "place.cells": "лист {sheet}, {first}:{last}",
    "sources": "Источники:",
    "nothing": "В ваших файлах ничего не найдено.",
    "connect": (
        "Модель не подключена: ответ — это сами отрывки. Задайте ключ OpenAI (`titan key set`) или запустите"
        " Ollama и назовите её модель: OPENAI_BASE_URL=http://localhost:11434/v1 TITAN_MODEL=llama3.2."
    ),
    "again": "(ответ начат заново)",
    "unheard": (
        "Titan запущен с другими настройками, чем в этом терминале: {names} подействует, когда закроют его окно."
    ),
    "stopped": "(остановлено)",
    "delay.disk_full": "titan: диск заполнен. Ответ не пропадёт и сохранится, когда освободится место.",
    "first_scan": "Читаю ваши файлы",
    "first_scan_late": "Файлы ещё читаются; ответ знает только прочитанные.",
    "degraded": "Найдено только по словам: {reason}",
    "degraded.unreachable": "сервер векторной модели недоступен. Проверьте сеть.",
    "degraded.timed_out": "сервер векторной модели не ответил вовремя. Повторите чуть позже.",
    "degraded.wrong_key": "сервер векторной модели не принял ключ. Задайте верный.",
    "degraded.model_not_found": "сервер не знает векторной модели. Назовите другую в настройках.",
    "degraded.rate_limited": "слишком много запросов к векторной модели. Подождите минуту.",
    "degraded.server_error": "ошибка на сервере векторной модели. Повторите чуть позже.",
    "degraded.quota_exceeded": "на счёте векторной модели нет средств. Пополните его.",
    "degraded.refused": "векторная модель отклонила вопрос. Задайте его другими словами.",
    "degraded.context_too_long": "вопрос слишком длинный для векторной модели. Сократите его.",
    "degraded.malformed": "сервер не прислал векторов. Проверьте, та ли модель названа.",
    "indexing": "Индексирую",
    "indexed": "Проиндексировано: {files} ({bytes}) за {seconds:.1f} с, файлов в секунду: {rate:.0f}",
    "unchanged": "Без изменений: {files}",
    "unchanged_failed": "из них не прочитано: {files}; `titan doctor` назовёт их",
    "removed": "Удалено из индекса: {files}",
    "skipped": "Пропущено: {files}",
    "failed": "Не прочитано: {files}",
    "refused": "titan: отказано в доступе к {path}: {reason}. {cure}",
    "cure.outside": "Titan читает только «Рабочий стол» и «Загрузки»: скопируйте туда.",
    "cure.other": "Проверьте путь и права доступа.",
    "more": "… и ещё {files}",
    "stalled": "titan: ядро перестало отвечать, осталось файлов: {files}; запустите `titan doctor` и повторите.",
    "no_question": "titan: нет вопроса; напишите его после `ask` или передайте через канал.",
    "no_query": "titan: нечего искать; напишите запрос после `search` или передайте через канал.",
    "too_long": "titan: слишком длинный текст, в байтах: {bytes}, не больше {limit}. Сократите его.",
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
    "doctor.key.none": "без ключа",
    "doctor.folder": "папка",
    "doctor.watched": "изменения видны сразу",
    "doctor.polled": "проверяется время от времени",
    "doctor.there": "на месте",
    "doctor.missing": "не существует",
    "doctor.index": "индекс",
    "doctor.files": "{count} файл|{count} файла|{count} файлов",
    "doctor.passages": "{count} отрывок|{count} отрывка|{count} отрывков",
    "doctor.vectors": "{count} вектор|{count} вектора|{count} векторов",
    "doctor.left_out": "пропущено: {skipped}, не прочитано: {failed}",
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
    "doctor.no_embedder": (
        "Векторная модель не подключена: поиск идёт только по словам. Её называет TITAN_EMBEDDING_MODEL."
    ),
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
        "{count} задачу выполнить не удалось. Она есть в меню окна, там же её можно повторить."
        "|{count} задачи выполнить не удалось. Они есть в меню окна, там же их можно повторить."
        "|{count} задач выполнить не удалось. Они есть в меню окна, там же их можно повторить."
    ),
    "doctor.no_display": 'Здесь нет экрана: окно открыть нельзя, `titan ask "…"` работает.',
}
