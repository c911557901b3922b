"""Sentences for problems, with their cures: the one table of the window, the commands and the core's log."""

from collections.abc import Mapping

from titan_desktop.client import foreign
from titan_desktop.client.sentences import Language, Words
from titan_desktop.contracts.problem import Code, Problem


def say(language: Language, problem: Problem) -> str:
    """Return the sentence; an unknown problem of a newer core is shown as its code and fields."""
    words = PROBLEMS.get(problem.code)
    if words is None:
        return str(problem)
    try:
        sentence = words.say(language, **_named(language, problem.fields))
    except KeyError:  # another version's placeholders
        return str(problem)
    return f"{sentence}\n{foreign.text(problem.detail)}" if problem.detail else sentence


def _named(language: Language, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the fields as they may be shown; a store has a person's word, and `server` is the product's name."""
    names = {
        name: STORES[code].say(language) for name in _STORE_FIELDS if (code := fields.get(name)) in STORES
    }
    if server := _SERVERS.get(fields.get("store")):
        names["server"] = server
    return {name: foreign.isolated(value) for name, value in fields.items()} | names


_STORE_FIELDS = ("store", "product")
_SERVERS: Mapping[str | None, str] = {"redis": "Redis", "postgres": "PostgreSQL", "graph": "Neo4j"}
STORES: Mapping[str | None, Words] = {
    "redis": Words("Redis", "Redis"),
    "postgres": Words("PostgreSQL", "PostgreSQL"),
    "graph": Words("The graph", "Граф"),  # begins a sentence
}

PROBLEMS: Mapping[str, Words] = {
    Code.STARTING: Words(
        "It is being started.",
        "Запускается.",
    ),
    Code.RESTARTING: Words(
        "{store} ended and is started again.",
        "{store} завершился и запускается снова.",
    ),
    Code.STILL_STOPPING: Words(
        "The stores of an earlier Titan are still stopping. Start Titan again in a moment.",
        "Хранилища прежнего Titan ещё завершаются. Запустите Titan чуть позже.",
    ),
    Code.CANNOT_BE_KEPT: Words(
        "The embedded servers cannot be kept running; see the logs in {folder}.",
        "Встроенные серверы не удаётся удержать в работе; смотрите журналы в {folder}.",
    ),
    Code.DISK_FULL: Words(
        "{store} cannot start, because the disk is full. Free some space at {folder}; Titan tries again.",
        "{store} не запускается: диск заполнен. Освободите место в {folder}; Titan попробует снова.",
    ),
    Code.NOT_WRITABLE: Words(
        "{store} may not write to {path}. Give the folder back to your user, or set TITAN_HOME to another"
        " one.",
        "{store} не может писать в {path}. Верните папку своему пользователю или задайте другую в "
        "TITAN_HOME.",
    ),
    Code.SYSTEM_ERROR: Words(
        "{store} cannot start: {reason} ({path}). Mend that, or set TITAN_HOME to another folder.",
        "{store} не запускается: {reason} ({path}). Устраните это или задайте другую папку в TITAN_HOME.",
    ),
    Code.REDIS_FAILED: Words(
        "Redis cannot start: {reason}. If its log names a bad file, move {folder} away: questions and "
        "news of files that wait there are lost, conversations and the index are kept. Last in {log}:",
        "Redis не запускается: {reason}. Если журнал называет испорченный файл, уберите {folder}: ждущие "
        "там вопросы и новости о файлах пропадут, разговоры и индекс останутся. Последнее в {log}:",
    ),
    Code.POSTGRES_FAILED: Words(
        "PostgreSQL cannot start: {reason}. If its log speaks of damaged data, move {folder} to a safe "
        "place: Titan makes a new one and reads the files again, but conversations are in the old one. "
        "Last in {log}:",
        "PostgreSQL не запускается: {reason}. Если журнал говорит об испорченных данных, уберите {folder} в"
        " надёжное место: Titan создаст новую папку и перечитает файлы, но разговоры останутся в старой. "
        "Последнее в {log}:",
    ),
    Code.NOT_INSTALLED: Words(
        "The embedded {server} server is not installed on this system (package {package}). Choose Docker "
        "in the settings, or set {variable} to a server of your own.",
        "Встроенный сервер {server} в этой системе не установлен (пакет {package}). Выберите Docker в "
        "настройках или укажите свой сервер в {variable}.",
    ),
    Code.PROGRAM_MISSING: Words(
        "The embedded {server} server has no program at {program}. Install Titan again.",
        "У встроенного сервера {server} нет программы {program}. Переустановите Titan.",
    ),
    Code.CLUSTER_IS_NEWER: Words(
        "The conversations are in {place}, made by PostgreSQL {major}, and Titan brings {ours}. Start the"
        " newer Titan that made it; or serve that folder with PostgreSQL {major} and set "
        "TITAN_POSTGRES_URL; or move it to a safe place, and Titan begins anew.",
        "Разговоры лежат в {place}, созданной PostgreSQL {major}, а в Titan — {ours}. Запустите тот новый"
        " Titan, который её создал; или откройте папку в PostgreSQL {major} и задайте TITAN_POSTGRES_URL;"
        " или уберите её в надёжное место, и Titan начнёт заново.",
    ),
    Code.CLUSTER_IS_TOO_OLD: Words(
        "The conversations are in {place}, made by PostgreSQL {major}, and Titan brings {ours}. Start the"
        " Titan that made it once more and bring it up to date in smaller steps; or serve that folder "
        "with PostgreSQL {major} and set TITAN_POSTGRES_URL; or move it to a safe place, and Titan begins"
        " anew.",
        "Разговоры лежат в {place}, созданной PostgreSQL {major}, а в Titan — {ours}. Запустите ещё раз "
        "тот Titan, который её создал, и обновляйте его постепенно; или откройте папку в PostgreSQL "
        "{major} и задайте TITAN_POSTGRES_URL; или уберите её в надёжное место, и Titan начнёт заново.",
    ),
    Code.CLUSTER_IS_THERE_TWICE: Words(
        "The conversations are in {place}, made by PostgreSQL {major}, and Titan brings {ours}. There is "
        "a {other}, too: move one of the two to a safe place.",
        "Разговоры лежат в {place}, созданной PostgreSQL {major}, а в Titan — {ours}. Есть и {other}: "
        "уберите одну из двух папок в надёжное место.",
    ),
    Code.UPGRADING: Words(
        "The conversations are being taken over from PostgreSQL {major} to {ours}. This may take some "
        "minutes; nothing is lost when it is interrupted.",
        "Разговоры переносятся из PostgreSQL {major} в {ours}. Это может занять несколько минут; если "
        "прервать, ничего не пропадёт.",
    ),
    Code.NO_ROOM_TO_UPGRADE: Words(
        "The conversations have to be taken over from PostgreSQL {major} to {ours}, and the disk is too "
        "full for that. See that {megabytes} MB are free at {folder}; Titan tries again. Nothing is lost.",
        "Разговоры нужно перенести из PostgreSQL {major} в {ours}, но на диске мало места. Освободите "
        "{megabytes} МБ в {folder}; Titan попробует снова. Ничего не потеряно.",
    ),
    Code.DOCKER_MISSING: Words(
        "Docker is not installed, but the settings ask for it. Install Docker with its Compose plugin, or"
        " choose embedded stores in the settings.",
        "Docker не установлен, а настройки его требуют. Установите Docker с модулем Compose или выберите "
        "в настройках встроенные хранилища.",
    ),
    Code.DOCKER_SILENT: Words(
        "Docker's engine does not answer. Start Docker (and see that your user may use it), or choose "
        "embedded stores in the settings.",
        "Docker не отвечает. Запустите его (и проверьте, что вашему пользователю это разрешено) или "
        "выберите в настройках встроенные хранилища.",
    ),
    Code.COMPOSE_MISSING: Words(
        "Docker has no Compose plugin. Install it (package docker-compose-plugin).",
        "У Docker нет модуля Compose. Установите его (пакет docker-compose-plugin).",
    ),
    Code.COMPOSE_FAILED: Words(
        "Docker Compose could not start the servers (exit code {status}); see {log}.",
        "Docker Compose не запустил серверы (код {status}); смотрите {log}.",
    ),
    Code.VARIABLE_MISSING: Words(
        "The settings name an external {server} server, but {variable} is not set. Set it, for instance to "
        "{example}, or choose another place in the settings.",
        "В настройках выбран внешний сервер {server}, но {variable} не задана. Задайте её, например "
        "{example}, или выберите в настройках другое место.",
    ),
    Code.VARIABLE_OF_OTHER_KIND: Words(
        "{variable} is not the address of a {server} server. Write it like {example}.",
        "В {variable} указан не адрес сервера {server}. Запишите его так: {example}.",
    ),
    Code.VARIABLE_UNREADABLE: Words(
        "{variable} cannot be understood. In a password write / as %2F, # as %23, ? as %3F, @ as %40 and "
        ": as %3A. An example: {example}.",
        "{variable} нельзя разобрать. В пароле пишите / как %2F, # как %23, ? как %3F, @ как %40 и : как "
        "%3A. Пример: {example}.",
    ),
    Code.SILENT: Words(
        "{product} has not answered for {seconds} s. See that its server runs and is not overloaded.",
        "{product} не отвечает уже {seconds} с. Проверьте, что сервер работает и не перегружен.",
    ),
    Code.TRANSPORT_SILENT: Words(
        "Redis does not answer.",
        "Redis не отвечает.",
    ),
    Code.REFUSED: Words(
        "PostgreSQL cannot be used: {reason}. See that the server runs, and that its address and password"
        " are right.",
        "PostgreSQL недоступен: {reason}. Проверьте, что сервер работает, а его адрес и пароль верны.",
    ),
    Code.UNUSABLE: Words(
        "{store} cannot be used: {error}. The details are in core.log.",
        "{store} недоступен: {error}. Подробности в core.log.",
    ),
    Code.GRAPH_NOT_OPEN: Words(
        "The graph is not open. Restart Titan.",
        "Граф не открыт. Перезапустите Titan.",
    ),
    Code.GRAPH_IN_USE: Words(
        "Another process holds the graph in {folder}. End the other Titan, or give this one its own "
        "TITAN_HOME.",
        "Граф в {folder} занят другим процессом. Завершите другой Titan или задайте этому свой TITAN_HOME.",
    ),
    Code.GRAPH_DAMAGED: Words(
        "The graph cannot be opened: {reason}. If this stays, delete {folder} and run `titan index "
        "--force`: the graph is made anew.",
        "Граф не открывается: {reason}. Если это не проходит, удалите {folder} и выполните `titan index "
        "--force`: граф будет построен заново.",
    ),
    Code.GRAPH_REMADE: Words(
        "The graph was damaged and is made anew from the database; nothing of yours is lost. The damaged one is "
        "in {folder} and may be deleted. If this happens again, look at the disk.",
        "Граф был повреждён и строится заново из базы данных; ничего вашего не потеряно. Повреждённый лежит в "
        "{folder}, его можно удалить. Если это повторится, проверьте диск.",
    ),
    Code.GRAPH_ADDRESS: Words(
        "{address} is not the address of a Neo4j server. Correct TITAN_NEO4J_URL: bolt://host:7687.",
        "{address} — не адрес Neo4j. Исправьте TITAN_NEO4J_URL: bolt://host:7687.",
    ),
    Code.GRAPH_PASSWORD: Words(
        "{address} refused the user or the password. Correct them in TITAN_NEO4J_URL.",
        "{address} не принял пользователя или пароль. Исправьте их в TITAN_NEO4J_URL.",
    ),
    Code.GRAPH_BLOCKED: Words(
        "{address} was given a wrong password too often. Wait a minute.",
        "{address} слишком часто получал неверный пароль. Подождите минуту.",
    ),
    Code.GRAPH_EXPIRED: Words(
        "{address} wants a new password. Change the password of this Neo4j user first.",
        "{address} требует нового пароля. Сначала смените пароль этого пользователя Neo4j.",
    ),
    Code.GRAPH_RIGHTS: Words(
        "{address} does not let this user write. Give the user of TITAN_NEO4J_URL the right to write.",
        "{address} не даёт этому пользователю писать. Дайте пользователю из TITAN_NEO4J_URL право на запись.",
    ),
    Code.GRAPH_DATABASE: Words(
        "{address} has no such database. Correct its name in TITAN_NEO4J_URL.",
        "У {address} нет такой базы. Исправьте её имя в TITAN_NEO4J_URL.",
    ),
    Code.GRAPH_BUSY: Words(
        "{address} cannot do it now ({reason}). Try again later.",
        "{address} сейчас не справляется ({reason}). Повторите позже.",
    ),
    Code.GRAPH_UNREACHABLE: Words(
        "No Neo4j answers at {address} ({reason}). Start it, or correct TITAN_NEO4J_URL.",
        "По адресу {address} не отвечает Neo4j ({reason}). Запустите его или исправьте TITAN_NEO4J_URL.",
    ),
    Code.ARCHIVE_FAILED: Words(
        "What happens cannot be archived in {folder} ({reason}), and what you delete stays in it until then. "
        "Make room there or give the folder to your user; nothing else waits for it.",
        "Происходящее не удаётся записать в архив {folder} ({reason}); до тех пор в нём остаётся и удалённое "
        "вами. Освободите место или верните папку своему пользователю; остальное работает.",
    ),
    Code.ARCHIVE_ELSEWHERE: Words(
        "The Redis server is another Titan's, which archives it in {folder}: here nothing is archived, "
        "and what you delete is not erased from it. Give this Titan a database of its own "
        "(TITAN_REDIS_URL).",
        "Сервер Redis принадлежит другому Titan, чей архив лежит в {folder}: здесь архив не ведётся, а "
        "удалённое вами с сервера не стирается. Дайте этому Titan свою базу (TITAN_REDIS_URL).",
    ),
    Code.BACKUP_EXISTS: Words(
        "{path} is there already. Choose another name.",
        "Файл {path} уже есть. Выберите другое имя.",
    ),
    Code.BACKUP_NOT_WRITTEN: Words(
        "The backup cannot be written to {folder}. Choose a folder that your user may write to.",
        "Резервную копию не удаётся записать в {folder}. Выберите папку, в которую вы можете писать.",
    ),
    Code.BACKUP_DISK_FULL: Words(
        "The disk of {folder} is full. Free some space, or choose another disk for the backup.",
        "На диске с папкой {folder} нет места. Освободите его или выберите для копии другой диск.",
    ),
    Code.BACKUP_STORE_AWAY: Words(
        "A store went away while the backup was made: {reason}. Make it again when `titan doctor` says that all is"
        " well.",
        "Во время копирования пропало хранилище: {reason}. Повторите, когда `titan doctor` скажет, что всё в"
        " порядке.",
    ),
    Code.FOLDER_HOLDS_HOME: Words(
        "{path} is not read, because {real} holds your home folder. Choose another folder for it in the "
        "system's settings, or let Titan read this one.",
        "{path} не читается: в {real} лежит ваша домашняя папка. Назначьте вместо неё другую в настройках "
        "системы или разрешите Titan читать эту.",
    ),
    Code.FOLDER_HIDDEN: Words(
        "{path} is not read, because {real} is hidden: programs keep their own data there. Choose another "
        "folder for it in the system's settings, or let Titan read this one.",
        "{path} не читается: {real} — скрытая папка, в таких программы хранят свои данные. Назначьте вместо "
        "неё другую в настройках системы или разрешите Titan читать эту.",
    ),
    Code.FOLDER_OF_SYSTEM: Words(
        "{path} is not read, because {real} belongs to the system. Choose another folder for it in the "
        "system's settings, or let Titan read this one.",
        "{path} не читается: {real} — системная папка. Назначьте вместо неё другую в настройках системы или "
        "разрешите Titan читать эту.",
    ),
    Code.FOLDER_IS_LINK: Words(
        "{path} is not read: a link leads from there to {real}, which was none when Titan started, or lies in "
        "another folder that is read. Start Titan again, or let it read that folder.",
        "{path} не читается: оттуда ведёт ссылка в {real}; при запуске Titan её не было, или она лежит в "
        "другой читаемой папке. Запустите Titan снова или разрешите читать ту папку.",
    ),
    Code.IGNORE_PATTERN: Words(
        "{path}, line {line}: this pattern cannot be used and is passed over. Write one as in .gitignore, in "
        "UTF-8, with at most three stars.",
        "{path}, строка {line}: этот шаблон использовать нельзя, он пропущен. Пишите шаблоны, как в .gitignore, "
        "в UTF-8, не более чем с тремя звёздочками.",
    ),
    Code.SETTINGS_UNREADABLE: Words(
        "{path}: {reason}. Correct the line, or delete the file to start from the defaults.",
        "{path}: {reason}. Исправьте строку или удалите файл: Titan начнёт с обычных настроек.",
    ),
    Code.MODEL_ADDRESS: Words(
        "The model's address {address} cannot be used. Write it as https://host/v1 in the settings or in "
        "OPENAI_BASE_URL, without a user, a password or a key: keep the key with `titan key set`.",
        "Адрес модели {address} использовать нельзя. Запишите его в настройках или в OPENAI_BASE_URL как "
        "https://host/v1, без имени, пароля и ключа: ключ храните командой `titan key set`.",
    ),
    Code.KEYS_LOCKED: Words(
        "The model's key is locked. Titan asks for its password in the window, and `titan ask` in a "
        "terminal.",
        "Ключ модели под паролем. Titan спросит пароль в окне, а `titan ask` — в терминале.",
    ),
    Code.KEYS_DAMAGED: Words(
        "The keys in {path} cannot be read. Delete the file and give the key once more.",
        "Ключи в {path} не читаются. Удалите файл и задайте ключ ещё раз.",
    ),
    Code.KEYRING_UNUSABLE: Words(
        "The system's keyring cannot be used: {reason}. Unlock it, install one (GNOME Keyring, KWallet), "
        "or keep the key under a password: in the settings, or with `titan key set --file`. For OpenAI "
        "the environment variable OPENAI_API_KEY serves, too.",
        "Хранилище паролей системы недоступно: {reason}. Разблокируйте его, установите (GNOME Keyring, "
        "KWallet) или храните ключ под паролем: в настройках или командой `titan key set --file`. Для "
        "OpenAI подойдёт и переменная окружения OPENAI_API_KEY.",
    ),
}
