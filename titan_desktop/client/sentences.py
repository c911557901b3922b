"""Sentences for the core's codes: the one table of the window and the commands.

The bus carries codes and fields; each client looks up the sentence in its person's language when it shows it.
Sentences of only one client are elsewhere: the window's in Qt's catalogue, those of the commands in
`commands.sentences`.
"""

import os
from collections.abc import Mapping
from typing import Literal, NamedTuple

from titan_desktop.client import foreign
from titan_desktop.contracts.chat import Delay
from titan_desktop.contracts.faults import Fault
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.sources import (
    MEMBER_SIGN,
    Cells,
    FactSource,
    FilePassage,
    Lines,
    Member,
    Pages,
    Place,
    Slides,
    Source,
)

Language = Literal["en", "ru"]


def chosen(language: str, environment: Mapping[str, str] = os.environ) -> Language:
    """Return the language for a setting; "system" asks the locale (POSIX, XBD 8.2)."""
    if language == "system":
        named = (environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
        language = next(filter(None, named), "").lower()
    return "ru" if language.startswith("ru") else "en"


class Words(NamedTuple):
    """One sentence in each language, with the same placeholders."""

    en: str
    ru: str

    def say(self, language: Language, **fields: object) -> str:
        """Format the sentence in this language."""
        return (self.ru if language == "ru" else self.en).format(**fields)


def fault(language: Language, code: Fault | None) -> str:
    """Return why an answer failed, and the cure."""
    return FAULTS[code or Fault.INTERNAL].say(language)


def delay(language: Language, code: Delay) -> str:
    """Return what an answer waits for, and the cure."""
    return DELAYS[code].say(language)


def reason(language: Language, code: str) -> str:
    """Return why a file was not read, "" for none. An unknown reason of a newer core is returned as it is."""
    known = REASONS.get(code)
    return known.say(language) if known is not None else code


def degraded(language: Language, said: str) -> str:
    """Return why a search used words alone. A code that is no embedder's fault is returned as it is."""
    known = EMBEDDER_FAULTS.get(said.partition(":")[0])
    return known.say(language) if known is not None else said


def place(language: Language, source: Source) -> str:
    """Return the place of a source in its file, "" when unknown: "p. 3", "sheet May, B3:C29", "› a.pdf, p. 3"."""
    return _place(language, source.place) if isinstance(source, FilePassage) else ""


def title(language: Language, source: Source) -> str:
    """Return what a person calls a source; a fact is called by its sentence: "fact: Anna is my landlord"."""
    if not isinstance(source, FactSource):
        return source.title
    said = " ".join(source.passage.split())
    short = said if len(said) <= _FACT_SHOWN else said[: _FACT_SHOWN - 1].rstrip() + "…"
    return _FACT.say(language, fact=short)


def titled(language: Language, source: Source) -> str:
    """Return a source's title with its place: "rent.pdf, p. 3", "archive.zip › letter.docx"."""
    where, name = place(language, source), title(language, source)
    if not where:
        return name
    return name + (" " if where.startswith(MEMBER_SIGN.strip()) else ", ") + where


def _place(language: Language, where: Place | None) -> str:
    match where:
        case Member(path=path, place=within):
            name = MEMBER_SIGN.lstrip() + foreign.isolated(path)
            return ", ".join(filter(None, (name, _place(language, within))))
        case Cells(sheet=sheet, first=first, last=last):
            words = (_CELLS if first != last else _CELL) if first else _SHEET
            return words.say(language, sheet=foreign.isolated(sheet), first=first, last=last)
        case Pages() | Slides() | Lines() as span:
            one, several = _SPANS[type(span)]
            return (one if span.first == span.last else several).say(
                language, first=span.first, last=span.last
            )
    return ""


_FACT = Words("fact: {fact}", "факт: {fact}")
_FACT_SHOWN = 100

FAULTS: Mapping[Fault, Words] = {
    Fault.WRONG_KEY: Words(
        "The key was not accepted. Set the right one in the settings, or with `titan key set`.",
        "Ключ не принят. Задайте верный в настройках или командой `titan key set`.",
    ),
    Fault.KEY_MISSING: Words(
        "The server asks for a key, and none is kept for its address. Give it one, once: in the settings or with "
        "`titan key set`; if OPENAI_API_KEY is meant for this server, with `titan key set --environment`.",
        "Сервер требует ключ, а для его адреса ключа нет. Задайте его один раз: в настройках или командой "
        "`titan key set`; если ему предназначен OPENAI_API_KEY — командой `titan key set --environment`.",
    ),
    Fault.UNREACHABLE: Words(
        "The model server cannot be reached. Check the connection and the address in the settings.",
        "Нет связи с сервером модели. Проверьте подключение к сети и адрес в настройках.",
    ),
    Fault.BAD_ADDRESS: Words(
        "The model's address cannot be used. Write it as https://host/v1, without a user, a password or "
        "a key: the key has a field of its own in the settings, and `titan key set`.",
        "Адрес модели использовать нельзя. Запишите его как https://host/v1, без имени пользователя, пароля и "
        "ключа: для него есть поле в настройках и команда `titan key set`.",
    ),
    Fault.REDIRECTED: Words(
        "The model server sends requests on to another address, and Titan sends nothing there. If you "
        "trust that address, put it into the settings.",
        "Сервер модели перенаправляет запросы на другой адрес; Titan туда ничего не отправил. Если вы "
        "доверяете этому адресу, укажите его в настройках.",
    ),
    Fault.PROXY_UNUSABLE: Words(
        "The proxy cannot be used. Correct the variable: http://, https:// or socks5://, with the right "
        "user and password if it asks for them; or name the server in NO_PROXY. Then start Titan again.",
        "Прокси использовать нельзя. Исправьте переменную: http://, https:// или socks5://, с верными "
        "именем и паролем, если они нужны; или укажите сервер в NO_PROXY. Затем перезапустите Titan.",
    ),
    Fault.CERTIFICATES_UNUSABLE: Words(
        "The certificates that the environment names cannot be read. Correct the variable or remove it, "
        "then start Titan again.",
        "Сертификаты, указанные в переменной окружения, не читаются. Исправьте переменную или удалите её и "
        "перезапустите Titan.",
    ),
    Fault.CERTIFICATE_REFUSED: Words(
        "The server's certificate is not trusted. Check the address; if your company's network signs "
        "certificates of its own, name them in SSL_CERT_FILE and start Titan again.",
        "Сертификат сервера не прошёл проверку. Проверьте адрес; если сертификаты подписывает сеть вашей "
        "компании, укажите их в SSL_CERT_FILE и перезапустите Titan.",
    ),
    Fault.WRONG_ADDRESS: Words(
        "What answers at this address is not a model server. The address usually ends with /v1; check it in the"
        " settings.",
        "По этому адресу отвечает не сервер модели. Обычно адрес заканчивается на /v1; проверьте его в"
        " настройках.",
    ),
    Fault.MODEL_NOT_FOUND: Words(
        "The server does not have this model. Choose another model in the settings.",
        "На сервере нет такой модели. Выберите другую в настройках.",
    ),
    Fault.RATE_LIMITED: Words(
        "Too many requests in a short time. Wait a minute, then try again.",
        "Слишком много запросов за короткое время. Подождите минуту и повторите.",
    ),
    Fault.QUOTA_EXCEEDED: Words(
        "The account's credit is used up. Top it up, or choose another model in the settings.",
        "На счёте закончились средства. Пополните его или выберите другую модель в настройках.",
    ),
    Fault.CONTEXT_TOO_LONG: Words(
        "This conversation is too long for the model. Start a new one, or choose a larger model.",
        "Разговор слишком длинный для этой модели. Начните новый или выберите модель с большим контекстом.",
    ),
    Fault.TIMED_OUT: Words(
        "The model did not answer in time. Try again, or choose a faster model.",
        "Модель не ответила вовремя. Повторите запрос или выберите модель побыстрее.",
    ),
    Fault.REFUSED: Words(
        "The model refused this request. Put the question differently.",
        "Модель отклонила этот запрос. Сформулируйте вопрос иначе.",
    ),
    Fault.SERVER_ERROR: Words(
        "The model server returned an error. Try again in a while.",
        "Сервер модели вернул ошибку. Повторите немного позже.",
    ),
    Fault.MALFORMED: Words(
        "The server gave an answer that cannot be read. Check the address and the model in the settings.",
        "Сервер прислал ответ, который нельзя прочитать. Проверьте адрес и модель в настройках.",
    ),
    Fault.CUT_OFF: Words(
        "The answer was cut off: it has reached the length that the server allows. Have it go on, or ask for a"
        " shorter one.",
        "Ответ оборван: он достиг длины, которую допускает сервер. Продолжите его или попросите ответить короче.",
    ),
    Fault.FILTERED: Words(
        "The server's content filter ended the answer. Put the question differently.",
        "Фильтр содержимого на сервере прервал ответ. Сформулируйте вопрос иначе.",
    ),
    Fault.EMPTY: Words(
        "The model gave no answer. Try again, or choose another model in the settings.",
        "Модель не дала ответа. Повторите или выберите другую модель в настройках.",
    ),
    Fault.CRASHED: Words(
        "The built-in embedding model crashed and is started again. The details are in the log of the core.",
        "Встроенная модель эмбеддингов аварийно завершилась и будет запущена снова. Подробности в журнале ядра.",
    ),
    Fault.WORKER_UNAVAILABLE: Words(
        "The built-in embedding model cannot be started. It is tried again; free some memory, or name another in "
        "the settings.",
        "Не удаётся запустить встроенную модель эмбеддингов. Попытки продолжаются; освободите память или "
        "выберите другую модель в настройках.",
    ),
    Fault.INTERNAL: Words(
        "Titan made a mistake. Try again; the command `titan doctor` shows what is wrong.",
        "В Titan произошла ошибка. Повторите; команда `titan doctor` покажет, в чём дело.",
    ),
}

EMBEDDER_FAULTS: Mapping[str, Words] = {
    Fault.WRONG_KEY: Words(
        "The embedding model server did not accept the key. Set the right one.",
        "Сервер модели эмбеддингов не принял ключ. Задайте верный.",
    ),
    Fault.KEY_MISSING: Words(
        "The embedding model server asks for a key of its own. Set it with `titan key --endpoint "
        "ADDRESS set`.",
        "Сервер модели эмбеддингов требует свой ключ. Задайте его: `titan key --endpoint АДРЕС set`.",
    ),
    Fault.UNREACHABLE: Words(
        "The embedding model server cannot be reached. Check the connection.",
        "Нет связи с сервером модели эмбеддингов. Проверьте подключение к сети.",
    ),
    Fault.BAD_ADDRESS: Words(
        "The embedding model's address cannot be used. Write it as https://host/v1, without a password "
        "or a key.",
        "Адрес модели эмбеддингов использовать нельзя. Запишите его как https://host/v1, без пароля и ключа.",
    ),
    Fault.REDIRECTED: Words(
        "The embedding model server sends requests on to another address, and Titan sends nothing "
        "there. Put that address into the settings if you trust it.",
        "Сервер модели эмбеддингов перенаправляет на другой адрес; Titan туда ничего не отправил. Укажите "
        "этот адрес в настройках, если доверяете ему.",
    ),
    Fault.PROXY_UNUSABLE: Words(
        "The proxy cannot be used. Correct its variable, or name the server in NO_PROXY; then start "
        "Titan again.",
        "Прокси использовать нельзя. Исправьте его переменную или укажите сервер в NO_PROXY и "
        "перезапустите Titan.",
    ),
    Fault.CERTIFICATES_UNUSABLE: Words(
        "The certificates that the environment names cannot be read. Correct the variable, then start "
        "Titan again.",
        "Сертификаты, указанные в переменной окружения, не читаются. Исправьте переменную и перезапустите Titan.",
    ),
    Fault.CERTIFICATE_REFUSED: Words(
        "The certificate of the embedding model server is not trusted. Check the address, or name your "
        "company's in SSL_CERT_FILE.",
        "Сертификат сервера модели эмбеддингов не прошёл проверку. Проверьте адрес или укажите сертификаты "
        "своей компании в SSL_CERT_FILE.",
    ),
    Fault.WRONG_ADDRESS: Words(
        "What answers at the embedding model's address is not a model server. The address usually ends with /v1.",
        "По адресу модели эмбеддингов отвечает не сервер модели. Обычно адрес заканчивается на /v1.",
    ),
    Fault.MODEL_NOT_FOUND: Words(
        "The server does not have the embedding model. Name another in the settings.",
        "На сервере нет модели эмбеддингов. Укажите другую в настройках.",
    ),
    Fault.RATE_LIMITED: Words(
        "Too many requests to the embedding model. Wait a minute.",
        "Слишком много запросов к модели эмбеддингов. Подождите минуту.",
    ),
    Fault.QUOTA_EXCEEDED: Words(
        "The credit of the embedding model's account is used up. Top it up.",
        "На счёте модели эмбеддингов закончились средства. Пополните его.",
    ),
    Fault.CONTEXT_TOO_LONG: Words(
        "The question is too long for the embedding model. Shorten it.",
        "Вопрос слишком длинный для модели эмбеддингов. Сократите его.",
    ),
    Fault.TIMED_OUT: Words(
        "The embedding model did not answer in time. Try again in a moment.",
        "Модель эмбеддингов не ответила вовремя. Повторите чуть позже.",
    ),
    Fault.REFUSED: Words(
        "The embedding model refused the text. Put it differently.",
        "Модель эмбеддингов отклонила текст. Сформулируйте его иначе.",
    ),
    Fault.SERVER_ERROR: Words(
        "The embedding model server returned an error. Try again in a while.",
        "Сервер модели эмбеддингов вернул ошибку. Повторите немного позже.",
    ),
    Fault.MALFORMED: Words(
        "The server gave no vectors. Check that its model is one for embeddings.",
        "Сервер не прислал векторов. Проверьте, что это модель эмбеддингов.",
    ),
    Fault.CRASHED: Words(
        "The built-in embedding model crashed and is started again. The details are in the log of the core.",
        "Встроенная модель эмбеддингов аварийно завершилась и будет запущена снова. Подробности в журнале ядра.",
    ),
    Fault.WORKER_UNAVAILABLE: Words(
        "The built-in embedding model cannot be started. It is tried again; free some memory, or name another in "
        "the settings.",
        "Не удаётся запустить встроенную модель эмбеддингов. Попытки продолжаются; освободите память или "
        "выберите другую модель в настройках.",
    ),
    Fault.INTERNAL: Words(
        "Titan made a mistake. The details are in the log of the core.",
        "Ошибка в самом Titan. Подробности в журнале ядра.",
    ),
    "index_unavailable": Words("The index cannot be used now.", "Индекс сейчас недоступен."),
    "vectors_differ": Words(
        "The embedding model answers with vectors of another size than before. Name another in the settings.",
        "Модель эмбеддингов отвечает векторами другой длины, чем прежде. Назовите верную в настройках.",
    ),
}

DELAYS: Mapping[Delay, Words] = {
    Delay.DISK_FULL: Words(
        "The disk is full. Nothing is lost: it is stored as soon as you have made some room.",
        "Диск заполнен. Ничего не потеряно: всё сохранится, как только вы освободите место.",
    ),
}

REASONS: Mapping[str, Words] = {
    Reason.NONE: Words("", ""),
    Reason.UNSUPPORTED: Words(
        "Titan cannot read this kind of file.", "Titan не умеет читать файлы этого типа."
    ),
    Reason.EMPTY: Words("The file is empty.", "Файл пуст."),
    Reason.NO_TEXT: Words(
        "There is no text in it; it may be a scan or a picture.",
        "В файле нет текста: возможно, это скан или картинка.",
    ),
    Reason.TOO_LARGE: Words("The file is too large.", "Файл слишком большой."),
    Reason.ENCRYPTED: Words(
        "It is protected by a password. Save a copy without one.",
        "Файл защищён паролем. Сохраните копию без пароля.",
    ),
    Reason.BROKEN: Words(
        "The file is damaged. Check whether it opens in its own program.",
        "Файл повреждён. Проверьте, открывается ли он в своей программе.",
    ),
    Reason.TIMED_OUT: Words(
        "Reading it took too long and was given up.",
        "Чтение заняло слишком много времени и было прервано.",
    ),
    Reason.OUT_OF_MEMORY: Words(
        "Reading it would have taken too much memory.", "Для чтения не хватило памяти."
    ),
    Reason.CRASHED: Words(
        "The reader crashed on it. Titan itself is not affected.",
        "На этом файле произошёл сбой чтения. На работу Titan он не повлиял.",
    ),
    Reason.OUTSIDE: Words(
        "It lies outside the folders that Titan may read.",
        "Файл лежит вне папок, которые Titan разрешено читать.",
    ),
    Reason.UNREADABLE: Words("You have no permission to read it.", "Нет прав на чтение файла."),
    Reason.VANISHED: Words(
        "It was gone before it could be read.", "Файл исчез раньше, чем его успели прочитать."
    ),
    Reason.NOT_REGULAR: Words("It is not an ordinary file.", "Это не обычный файл."),
    Reason.CUT: Words(
        "It was read in part: it is very long, and only its beginning can be searched.",
        "Прочитан частично: файл очень длинный, поиск видит только его начало.",
    ),
    Reason.WORDS_MISSING: Words(
        "It was read in part: some of its words could not be taken out.",
        "Прочитан частично: часть слов извлечь не удалось.",
    ),
    Reason.GARBLED: Words(
        "It was read in part: some of its letters are garbled.",
        "Прочитан частично: часть букв искажена.",
    ),
    Reason.MEMBERS_LOCKED: Words(
        "It was read in part: something in it is protected by a password.",
        "Прочитан частично: часть содержимого защищена паролем.",
    ),
    Reason.MEMBERS_UNREAD: Words(
        "It was read in part: something in it is damaged, too large or too deep to be read.",
        "Прочитан частично: что-то внутри повреждено, слишком велико или вложено слишком глубоко.",
    ),
    Reason.FORGOTTEN: Words(
        "You had Titan forget it. `titan files forget --undo` lets it be read again.",
        "Вы велели его забыть. `titan files forget --undo` разрешит читать его снова.",
    ),
}

_SHEET = Words("sheet {sheet}", "лист {sheet}")
_CELL = Words("sheet {sheet}, {first}", "лист {sheet}, {first}")
_CELLS = Words("sheet {sheet}, {first}:{last}", "лист {sheet}, {first}:{last}")
_SPANS: Mapping[type, tuple[Words, Words]] = {
    Pages: (Words("p. {first}", "стр. {first}"), Words("pp. {first}–{last}", "стр. {first}–{last}")),
    Slides: (
        Words("slide {first}", "слайд {first}"),
        Words("slides {first}–{last}", "слайды {first}–{last}"),
    ),
    Lines: (
        Words("line {first}", "строка {first}"),
        Words("lines {first}–{last}", "строки {first}–{last}"),
    ),
}
"""Singular and plural."""
