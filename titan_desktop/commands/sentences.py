"""What the commands say, in English and in Russian: one table for each language, and the choice between them."""

import os
from collections.abc import Mapping

from titan_desktop.contracts.chat import Fault
from titan_desktop.contracts.memory import Reason

Table = Mapping[str, str]
"""Sentences by key. Faults and reasons have the keys `fault.…` and `reason.…`."""


def table(language: str, environment: Mapping[str, str] = os.environ) -> Table:
    """Return the table for `language` (of the settings); "system" asks the locale (POSIX, XBD 8.2)."""
    if language == "system":
        chosen = (environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
        language = "ru" if next(filter(None, chosen), "").lower().startswith("ru") else "en"
    return RUSSIAN if language == "ru" else ENGLISH


def for_fault(sentences: Table, fault: Fault | None) -> str:
    """Say why an answer failed, and the cure."""
    return sentences[f"fault.{fault or Fault.INTERNAL}"]


def for_reason(sentences: Table, reason: str) -> str:
    """Say why a file was left out. An unknown reason, of a newer core, is said as it is."""
    return sentences.get(f"reason.{reason}", reason) if reason != Reason.NONE else ""


ENGLISH: Table = {
    "fault.wrong_key": "The model's endpoint refused the key. Set the right one with `titan key set`.",
    "fault.unreachable": "The model's endpoint cannot be reached. Check the network and its address.",
    "fault.model_not_found": "The endpoint does not know this model. Choose another in the settings.",
    "fault.rate_limited": "The endpoint is asked too often. Wait a minute and ask again.",
    "fault.quota_exceeded": "The account has no credit left. Top it up, or connect another model.",
    "fault.context_too_long": "The conversation is too long for this model. Start a new one.",
    "fault.timed_out": "The answer took too long. Ask again, or give it more time with --timeout.",
    "fault.refused": "The endpoint refused the question. Ask it in other words.",
    "fault.server_error": "The model's endpoint failed. Try again in a moment.",
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
    "sources": "Sources:",
    "nothing": "Nothing was found in your files.",
    "connect": (
        "These are the passages themselves: no model is connected. Set an OpenAI key with `titan key set`, or"
        " start Ollama and name its model: OPENAI_BASE_URL=http://localhost:11434/v1 TITAN_MODEL=llama3.2."
    ),
    "again": "(the answer starts again)",
    "stopped": "(stopped)",
    "first_scan": "Reading your files",
    "first_scan_late": "Your files are still being read; the answer knows only those read so far.",
    "degraded": "Found by words alone: {reason}",
    "indexing": "Indexing",
    "indexed": "Indexed: {files} ({bytes}) in {seconds:.1f} s, {rate:.0f} files/s",
    "unchanged": "Unchanged: {files}",
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
    "no_core": "titan: the core could not be reached: {reason}. Run `titan doctor`; its log is {log}.",
    "no_answer": "titan: the core gave no answer in time. Try again, or run `titan doctor`.",
    "refused_request": "titan: the core refused: {reason}. Run `titan doctor`.",
}

RUSSIAN: Table = {
    "fault.wrong_key": "Сервер модели не принял ключ. Задайте верный: `titan key set`.",
    "fault.unreachable": "Сервер модели недоступен. Проверьте сеть и адрес в настройках.",
    "fault.model_not_found": "Сервер не знает такой модели. Выберите другую в настройках или в TITAN_MODEL.",
    "fault.rate_limited": "Слишком много запросов. Подождите минуту и спросите снова.",
    "fault.quota_exceeded": "На счёте не осталось средств. Пополните его или подключите другую модель.",
    "fault.context_too_long": "Беседа слишком длинна для этой модели. Начните новую.",
    "fault.timed_out": "Ответ занял слишком много времени. Спросите снова или увеличьте --timeout.",
    "fault.refused": "Сервер отклонил вопрос. Задайте его другими словами.",
    "fault.server_error": "Ошибка на сервере модели. Повторите чуть позже.",
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
    "sources": "Источники:",
    "nothing": "В ваших файлах ничего не найдено.",
    "connect": (
        "Это сами отрывки: модель не подключена. Задайте ключ OpenAI (`titan key set`) или запустите Ollama и"
        " назовите её модель: OPENAI_BASE_URL=http://localhost:11434/v1 TITAN_MODEL=llama3.2."
    ),
    "again": "(ответ начат заново)",
    "stopped": "(остановлено)",
    "first_scan": "Читаю ваши файлы",
    "first_scan_late": "Файлы ещё читаются; ответ знает только прочитанные.",
    "degraded": "Найдено только по словам: {reason}",
    "indexing": "Индексирую",
    "indexed": "Проиндексировано: {files} ({bytes}) за {seconds:.1f} с, файлов в секунду: {rate:.0f}",
    "unchanged": "Без изменений: {files}",
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
    "no_core": "titan: нет связи с ядром: {reason}. Запустите `titan doctor`; журнал ядра: {log}.",
    "no_answer": "titan: ядро не ответило вовремя. Повторите или запустите `titan doctor`.",
    "refused_request": "titan: ядро отказало: {reason}. Запустите `titan doctor`.",
}
