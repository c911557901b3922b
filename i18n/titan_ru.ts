<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ru" sourcelanguage="en">
<context>
    <name>Banner</name>
    <message>
        <source>Put this message away</source>
        <translation>Скрыть сообщение</translation>
    </message>
</context>
<context>
    <name>ChatPresenter</name>
    <message>
        <source>The conversation opens as soon as Titan&apos;s core has started.</source>
        <translation>Разговор откроется, как только запустится ядро Titan.</translation>
    </message>
    <message>
        <source>Titan is starting. Your question is kept and will be sent.</source>
        <translation>Titan запускается. Вопрос сохранён и будет отправлен.</translation>
    </message>
    <message>
        <source>The thoughts could not be loaded. Unfold them again.</source>
        <translation>Размышления не загрузились. Разверните их ещё раз.</translation>
    </message>
    <message>
        <source>The conversation could not be loaded. Open it again.</source>
        <translation>Не удалось загрузить разговор. Откройте его ещё раз.</translation>
    </message>
    <message>
        <source>The question could not be sent: {reason}</source>
        <translation>Не удалось отправить вопрос: {reason}</translation>
    </message>
    <message>
        <source>Titan&apos;s core has not started yet. Try again in a moment.</source>
        <translation>Ядро Titan ещё не запустилось. Повторите через несколько секунд.</translation>
    </message>
</context>
<context>
    <name>Composer</name>
    <message>
        <source>{size} of {limit}. Save it as a file, and ask about that.</source>
        <translation>{size} из {limit}. Сохраните текст файлом и спросите о нём.</translation>
    </message>
    <message>
        <source>{size} of {limit}</source>
        <translation>{size} из {limit}</translation>
    </message>
    <message>
        <source>Ask about your files…</source>
        <translation>Спросите о своих файлах…</translation>
    </message>
    <message>
        <source>Your question</source>
        <translation>Ваш вопрос</translation>
    </message>
    <message>
        <source>Stop the answer (Esc)</source>
        <translation>Остановить ответ (Esc)</translation>
    </message>
    <message>
        <source>Send (Enter)</source>
        <translation>Отправить (Enter)</translation>
    </message>
</context>
<context>
    <name>ConversationModel</name>
    <message>
        <source>Today</source>
        <translation>Сегодня</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>Вчера</translation>
    </message>
    <message>
        <source>Last 7 days</source>
        <translation>За последние 7 дней</translation>
    </message>
    <message>
        <source>Last 30 days</source>
        <translation>За последние 30 дней</translation>
    </message>
    <message>
        <source>Earlier</source>
        <translation>Раньше</translation>
    </message>
</context>
<context>
    <name>ConversationsPresenter</name>
    <message>
        <source>The conversations could not be loaded.</source>
        <translation>Не удалось загрузить список разговоров.</translation>
    </message>
    <message>
        <source>Titan&apos;s core has not started yet. Try again in a moment.</source>
        <translation>Ядро Titan ещё не запустилось. Повторите через несколько секунд.</translation>
    </message>
</context>
<context>
    <name>DeadLetter</name>
    <message>
        <source>Answer a question</source>
        <translation>Ответить на вопрос</translation>
    </message>
    <message>
        <source>Answer a question again</source>
        <translation>Ответить на вопрос ещё раз</translation>
    </message>
    <message>
        <source>Go on with an answer</source>
        <translation>Продолжить ответ</translation>
    </message>
    <message>
        <source>Give a question another answer</source>
        <translation>Дать на вопрос ещё один ответ</translation>
    </message>
    <message>
        <source>Show another branch of a conversation</source>
        <translation>Показать другую ветвь разговора</translation>
    </message>
    <message>
        <source>Stop an answer</source>
        <translation>Остановить ответ</translation>
    </message>
    <message>
        <source>Rename a conversation</source>
        <translation>Переименовать разговор</translation>
    </message>
    <message>
        <source>Delete a conversation</source>
        <translation>Удалить разговор</translation>
    </message>
    <message>
        <source>Read folders</source>
        <translation>Прочитать папки</translation>
    </message>
    <message>
        <source>Read a file</source>
        <translation>Прочитать файл</translation>
    </message>
    <message>
        <source>Follow a file that was renamed</source>
        <translation>Учесть переименование файла</translation>
    </message>
    <message>
        <source>Forget a file that is gone</source>
        <translation>Забыть удалённый файл</translation>
    </message>
    <message>
        <source>Put a file into the graph</source>
        <translation>Внести файл в граф</translation>
    </message>
    <message>
        <source>Erase what a deleted conversation has left</source>
        <translation>Стереть следы удалённого разговора</translation>
    </message>
    <message>
        <source>Make an answer findable</source>
        <translation>Внести ответ в поиск</translation>
    </message>
    <message>
        <source>Take over new settings</source>
        <translation>Применить новые настройки</translation>
    </message>
    <message>
        <source>Try failed jobs again</source>
        <translation>Повторить невыполненные задачи</translation>
    </message>
    <message>
        <source>Remove failed jobs</source>
        <translation>Удалить невыполненные задачи</translation>
    </message>
    <message>
        <source>Make a backup</source>
        <translation>Сделать резервную копию</translation>
    </message>
    <message>
        <source>Remember a fact</source>
        <translation>Запомнить факт</translation>
    </message>
    <message>
        <source>Remember what a message asks to remember</source>
        <translation>Запомнить то, что просит сообщение</translation>
    </message>
    <message>
        <source>Keep a proposed fact</source>
        <translation>Сохранить предложенный факт</translation>
    </message>
    <message>
        <source>Correct a fact</source>
        <translation>Исправить факт</translation>
    </message>
    <message>
        <source>Say until when a fact held</source>
        <translation>Указать, до какого времени факт был верен</translation>
    </message>
    <message>
        <source>Pin a fact</source>
        <translation>Закрепить факт</translation>
    </message>
    <message>
        <source>Forget a fact</source>
        <translation>Забыть факт</translation>
    </message>
    <message>
        <source>Forget a person or thing</source>
        <translation>Забыть человека или предмет</translation>
    </message>
    <message>
        <source>Erase what a forgotten fact has left</source>
        <translation>Стереть следы забытого факта</translation>
    </message>
    <message>
        <source>Accept proposed facts</source>
        <translation>Принять предложенные факты</translation>
    </message>
    <message>
        <source>Refuse proposed facts</source>
        <translation>Отклонить предложенные факты</translation>
    </message>
    <message>
        <source>Remove a rule for proposed facts</source>
        <translation>Удалить правило для предложенных фактов</translation>
    </message>
    <message>
        <source>Make one person or thing of two</source>
        <translation>Объединить двух в одно</translation>
    </message>
    <message>
        <source>Make two of one again</source>
        <translation>Снова разделить объединённое</translation>
    </message>
    <message>
        <source>Make the graph anew</source>
        <translation>Построить граф заново</translation>
    </message>
    <message>
        <source>Write a file</source>
        <translation>Записать файл</translation>
    </message>
    <message>
        <source>Make a folder</source>
        <translation>Создать папку</translation>
    </message>
    <message>
        <source>Move a file or folder</source>
        <translation>Переместить файл или папку</translation>
    </message>
    <message>
        <source>Move a file or folder to the trash</source>
        <translation>Переместить файл или папку в корзину</translation>
    </message>
    <message>
        <source>Copy a file in</source>
        <translation>Скопировать файл в папку</translation>
    </message>
    <message>
        <source>Copy a file out</source>
        <translation>Скопировать файл из папки</translation>
    </message>
    <message>
        <source>Undo a change</source>
        <translation>Отменить изменение</translation>
    </message>
    <message>
        <source>Undo changes</source>
        <translation>Отменить изменения</translation>
    </message>
    <message>
        <source>Something that Titan cannot read</source>
        <translation>Нечто, чего Titan не может прочитать</translation>
    </message>
    <message>
        <source>Titan&apos;s core ended several times while it worked on this.</source>
        <translation>Ядро Titan несколько раз завершалось, выполняя эту задачу.</translation>
    </message>
    <message>
        <source>Titan does not understand it; another version may have written it.</source>
        <translation>Titan этого не понимает: возможно, запись сделала другая версия.</translation>
    </message>
    <message>
        <source>Titan does not understand it; another program may have written it.</source>
        <translation>Titan этого не понимает: возможно, запись сделала другая программа.</translation>
    </message>
    <message>
        <source>An error inside Titan: {error}</source>
        <translation>Ошибка внутри Titan: {error}</translation>
    </message>
</context>
<context>
    <name>DeadLettersDialog</name>
    <message>
        <source>Titan will not try them again. Your files stay as they are.</source>
        <translation>Titan больше не будет их выполнять. Ваши файлы останутся как есть.</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Удалить</translation>
    </message>
    <message>
        <source>Titan tried each of these several times and gave up. They are kept and can be tried again.</source>
        <translation>Titan несколько раз пытался выполнить каждую из этих задач. Они сохранены, и их можно повторить.</translation>
    </message>
    <message>
        <source>The newest {shown} of {count} are shown.</source>
        <translation>Показаны последние {shown} из {count}.</translation>
    </message>
    <message>
        <source>Remove jobs</source>
        <translation>Удаление задач</translation>
    </message>
    <message numerus="yes">
        <source>Remove %n job(s) for good?</source>
        <translation>
            <numerusform>Удалить %n задачу навсегда?</numerusform>
            <numerusform>Удалить %n задачи навсегда?</numerusform>
            <numerusform>Удалить %n задач навсегда?</numerusform>
        </translation>
    </message>
    <message>
        <source>No job has failed.</source>
        <translation>Все задачи выполнены.</translation>
    </message>
    <message>
        <source>Failed jobs</source>
        <translation>Невыполненные задачи</translation>
    </message>
    <message>
        <source>Why</source>
        <translation>Причина</translation>
    </message>
    <message>
        <source>When</source>
        <translation>Когда</translation>
    </message>
    <message>
        <source>Job</source>
        <translation>Задача</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Повторить</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>Удалить…</translation>
    </message>
</context>
<context>
    <name>DeadLettersPresenter</name>
    <message>
        <source>Titan&apos;s core does not answer. Try again in a moment.</source>
        <translation>Ядро Titan не отвечает. Повторите через несколько секунд.</translation>
    </message>
</context>
<context>
    <name>Deciding</name>
    <message>
        <source>Titan&apos;s core does not answer, and nothing was changed. Try again in a moment.</source>
        <translation>Ядро Titan не отвечает, ничего не изменено. Повторите через несколько секунд.</translation>
    </message>
    <message>
        <source>It is kept, and stored as soon as the database is back. You may close this window.</source>
        <translation>Это сохранено и попадёт в базу данных, как только она вернётся. Окно можно закрыть.</translation>
    </message>
    <message>
        <source>It is erased from the database, the graph, the events and their archive. This cannot be undone. What was said in conversations and stands in files stays there.</source>
        <translation>Это стирается из базы данных, графа, событий и их архива. Отменить нельзя. Сказанное в разговорах и написанное в файлах остаётся там.</translation>
    </message>
    <message>
        <source>Forget “{text}”?</source>
        <translation>Забыть «{text}»?</translation>
    </message>
    <message>
        <source>Forget {name}, with every fact that names them?</source>
        <translation>Забыть {name} и все факты с этим именем?</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>Забыть</translation>
    </message>
    <message numerus="yes">
        <source>Accept %n proposal(s)?</source>
        <translation>
            <numerusform>Принять %n предложение?</numerusform>
            <numerusform>Принять %n предложения?</numerusform>
            <numerusform>Принять %n предложений?</numerusform>
        </translation>
    </message>
    <message>
        <source>They hold from now on. Each can be corrected or forgotten.</source>
        <translation>С этого момента они верны. Каждое можно исправить или забыть.</translation>
    </message>
    <message numerus="yes">
        <source>Refuse %n proposal(s)?</source>
        <translation>
            <numerusform>Отклонить %n предложение?</numerusform>
            <numerusform>Отклонить %n предложения?</numerusform>
            <numerusform>Отклонить %n предложений?</numerusform>
        </translation>
    </message>
    <message>
        <source>They are not proposed again.</source>
        <translation>Больше они не предлагаются.</translation>
    </message>
    <message>
        <source>Accept</source>
        <translation>Принять</translation>
    </message>
    <message>
        <source>Refuse</source>
        <translation>Отклонить</translation>
    </message>
</context>
<context>
    <name>EmbedderRows</name>
    <message>
        <source>It runs on this computer and sends nothing anywhere.</source>
        <translation>Работает на этом компьютере и никуда ничего не отправляет.</translation>
    </message>
    <message>
        <source>Then every passage of your files is sent to this address. With Ollama it stays on this computer. With any other address it leaves this computer.</source>
        <translation>Все отрывки ваших файлов будут отправляться на этот адрес. С Ollama они остаются на этом компьютере. С любым другим адресом — покидают его.</translation>
    </message>
    <message>
        <source>Then search goes by words alone.</source>
        <translation>Тогда поиск идёт только по словам.</translation>
    </message>
    <message>
        <source>Search by meaning</source>
        <translation>Поиск по смыслу</translation>
    </message>
    <message>
        <source>Embedding model</source>
        <translation>Векторная модель</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>Адрес</translation>
    </message>
    <message>
        <source>Built-in model</source>
        <translation>Встроенная модель</translation>
    </message>
    <message>
        <source>A model server</source>
        <translation>Сервер моделей</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>Выключен</translation>
    </message>
</context>
<context>
    <name>FactBar</name>
    <message>
        <source>More…</source>
        <translation>Ещё…</translation>
    </message>
</context>
<context>
    <name>FactEditor</name>
    <message>
        <source>A fact has at most {most}, this has {length}.</source>
        <translation>В факте не больше {most}, а здесь {length}.</translation>
    </message>
    <message>
        <source>New fact</source>
        <translation>Новый факт</translation>
    </message>
    <message>
        <source>A sentence about you or your world, as you would say it. It holds at once.</source>
        <translation>Предложение о вас или о вашей жизни, как вы бы его сказали. Оно верно сразу.</translation>
    </message>
    <message>
        <source>Remember</source>
        <translation>Запомнить</translation>
    </message>
    <message>
        <source>Correct a fact</source>
        <translation>Исправление факта</translation>
    </message>
    <message>
        <source>What it should have said all along. If it was true and no longer is, choose “No longer so” instead.</source>
        <translation>Как должно было быть с самого начала. Если это было верно, а теперь нет, выберите «Уже не так».</translation>
    </message>
    <message>
        <source>Correct</source>
        <translation>Исправить</translation>
    </message>
</context>
<context>
    <name>FailuresDialog</name>
    <message>
        <source>Files that could not be read in full</source>
        <translation>Файлы, прочитанные не полностью</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Файл</translation>
    </message>
    <message>
        <source>Why</source>
        <translation>Причина</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Папка</translation>
    </message>
    <message>
        <source>Titan tries these again as soon as they change.</source>
        <translation>Как только такой файл изменится, Titan попробует прочитать его снова.</translation>
    </message>
    <message>
        <source>Every file could be read in full.</source>
        <translation>Все файлы прочитаны полностью.</translation>
    </message>
</context>
<context>
    <name>FilesPresenter</name>
    <message>
        <source>Titan&apos;s core does not answer. Try again in a moment.</source>
        <translation>Ядро Titan не отвечает. Повторите через несколько секунд.</translation>
    </message>
    <message numerus="yes">
        <source>%n file(s) are still to be read.</source>
        <translation>
            <numerusform>Ещё не прочитан %n файл.</numerusform>
            <numerusform>Ещё не прочитано %n файла.</numerusform>
            <numerusform>Ещё не прочитано %n файлов.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n file(s) could not be read in full</source>
        <translation>
            <numerusform>Не полностью прочитан %n файл</numerusform>
            <numerusform>Не полностью прочитано %n файла</numerusform>
            <numerusform>Не полностью прочитано %n файлов</numerusform>
        </translation>
    </message>
    <message>
        <source>Reading files: {done} of {total}</source>
        <translation>Чтение файлов: {done} из {total}</translation>
    </message>
    <message>
        <source>Vectors are not being made. {fault} Next try at {time}.</source>
        <translation>Векторы не создаются. {fault} Следующая попытка в {time}.</translation>
    </message>
    <message>
        <source>Search by meaning: {done} of {total} passages</source>
        <translation>Поиск по смыслу: {done} из {total} отрывков</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>Запуск…</translation>
    </message>
    <message numerus="yes">
        <source>%n file(s) can be searched</source>
        <translation>
            <numerusform>Поиск по %n файлу</numerusform>
            <numerusform>Поиск по %n файлам</numerusform>
            <numerusform>Поиск по %n файлам</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>FilterChips</name>
    <message>
        <source>Only:</source>
        <translation>Только:</translation>
    </message>
    <message>
        <source>Search without “{word}”</source>
        <translation>Искать без «{word}»</translation>
    </message>
</context>
<context>
    <name>FolderConsent</name>
    <message>
        <source>Read this folder?</source>
        <translation>Читать эту папку?</translation>
    </message>
    <message>
        <source>Read everything in {folder}?</source>
        <translation>Читать всё в папке {folder}?</translation>
    </message>
    <message>
        <source>Its documents are indexed on this computer, except hidden ones. When you connect a model, what is found in them is sent to it with your question.</source>
        <translation>Документы из неё, кроме скрытых, попадут в индекс на этом компьютере. Если подключить модель, найденное в них будет уходить к ней вместе с вопросом.</translation>
    </message>
    <message>
        <source>{path} leads there.</source>
        <translation>Туда ведёт {path}.</translation>
    </message>
    <message>
        <source>Read it</source>
        <translation>Читать</translation>
    </message>
</context>
<context>
    <name>Hint</name>
    <message>
        <source>Answered without a model. For written answers, enter an OpenAI key in the settings, or run a local Ollama: then nothing leaves this computer.</source>
        <translation>Ответ составлен без модели. Чтобы получать готовые ответы, введите в настройках ключ OpenAI или запустите Ollama на этом компьютере: тогда ничего не уходит в сеть.</translation>
    </message>
    <message>
        <source>None of your files has these words. Closest in meaning:</source>
        <translation>Таких слов в ваших файлах нет. Ближе всего по смыслу:</translation>
    </message>
    <message>
        <source>There are no documents in {folders} yet. Put some there, then ask again.</source>
        <translation>В папках {folders} пока нет документов. Положите их туда и спросите снова.</translation>
    </message>
    <message>
        <source>Nothing was found in your files. Try other words: a name, a number, part of a file&apos;s name.</source>
        <translation>В ваших файлах ничего не найдено. Попробуйте другие слова: имя, номер, часть названия файла.</translation>
    </message>
    <message>
        <source>Nothing was found in {folders}. Try other words: a name, a number, part of a file&apos;s name.</source>
        <translation>В папках {folders} ничего не найдено. Попробуйте другие слова: имя, номер, часть названия файла.</translation>
    </message>
</context>
<context>
    <name>Key</name>
    <message>
        <source>Titan is still starting. Save again in a moment.</source>
        <translation>Titan ещё запускается. Сохраните ещё раз чуть позже.</translation>
    </message>
    <message>
        <source>The key could not be stored: {reason}.</source>
        <translation>Не удалось сохранить ключ: {reason}.</translation>
    </message>
    <message>
        <source>The keyring did not answer. The key is not stored.</source>
        <translation>Хранилище паролей не ответило. Ключ не сохранён.</translation>
    </message>
</context>
<context>
    <name>KeyRows</name>
    <message>
        <source>Titan asks for this password at each start. It is kept nowhere.</source>
        <translation>Titan спрашивает этот пароль при каждом запуске и нигде его не хранит.</translation>
    </message>
    <message>
        <source>The key is kept in memory alone, and has to be entered again after a restart.</source>
        <translation>Ключ хранится только в памяти; после перезапуска его нужно ввести снова.</translation>
    </message>
    <message>
        <source>The key goes into the system&apos;s keyring and nowhere else. Ollama needs none.</source>
        <translation>Ключ хранится только в системном хранилище паролей. Для Ollama он не нужен.</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>Ключ</translation>
    </message>
    <message>
        <source>Keep the key</source>
        <translation>Хранить ключ</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>Пароль</translation>
    </message>
    <message>
        <source>leave empty to keep the stored one</source>
        <translation>пусто — оставить сохранённый</translation>
    </message>
    <message>
        <source>In a file, under a password</source>
        <translation>В файле под паролем</translation>
    </message>
    <message>
        <source>Until Titan ends</source>
        <translation>До завершения Titan</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>New conversation</source>
        <translation>Новый разговор</translation>
    </message>
    <message>
        <source>Search files and conversations</source>
        <translation>Поиск по файлам и разговорам</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Память</translation>
    </message>
    <message>
        <source>Find a conversation</source>
        <translation>Найти разговор</translation>
    </message>
    <message>
        <source>Ask</source>
        <translation>Задать вопрос</translation>
    </message>
    <message>
        <source>Files that could not be read in full…</source>
        <translation>Файлы, прочитанные не полностью…</translation>
    </message>
    <message>
        <source>Failed jobs…</source>
        <translation>Невыполненные задачи…</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>Настройки…</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Сочетания клавиш</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Выход</translation>
    </message>
</context>
<context>
    <name>Memory</name>
    <message numerus="yes">
        <source>Forgotten: %n fact(s).</source>
        <translation>
            <numerusform>Забыт %n факт.</numerusform>
            <numerusform>Забыто %n факта.</numerusform>
            <numerusform>Забыто %n фактов.</numerusform>
        </translation>
    </message>
    <message>
        <source>What is left of it in the stores is being erased…</source>
        <translation>Остатки в хранилищах стираются…</translation>
    </message>
    <message>
        <source>{since} – {until}</source>
        <translation>{since} – {until}</translation>
    </message>
    <message>
        <source>since {since}</source>
        <translation>с {since}</translation>
    </message>
    <message>
        <source>learned {day}</source>
        <translation>запомнено {day}</translation>
    </message>
    <message>
        <source>pinned</source>
        <translation>закреплено</translation>
    </message>
    <message>
        <source>You wrote it here</source>
        <translation>Вы записали это здесь</translation>
    </message>
    <message>
        <source>Said in “{conversation}”</source>
        <translation>Сказано в разговоре «{conversation}»</translation>
    </message>
    <message>
        <source>Said in a conversation</source>
        <translation>Сказано в разговоре</translation>
    </message>
    <message>
        <source>{name} opens at its beginning. Look there for: {place}.</source>
        <translation>{name} открывается с начала. Ищите там: {place}.</translation>
    </message>
    <message>
        <source>Show the message</source>
        <translation>Показать сообщение</translation>
    </message>
    <message>
        <source>Correct…</source>
        <translation>Исправить…</translation>
    </message>
    <message>
        <source>No longer so</source>
        <translation>Уже не так</translation>
    </message>
    <message>
        <source>Pin</source>
        <translation>Закрепить</translation>
    </message>
    <message>
        <source>Unpin</source>
        <translation>Открепить</translation>
    </message>
    <message>
        <source>Forget…</source>
        <translation>Забыть…</translation>
    </message>
    <message>
        <source>Forget everything about {name}…</source>
        <translation>Забыть всё, где упоминается {name}…</translation>
    </message>
    <message>
        <source>Accept</source>
        <translation>Принять</translation>
    </message>
    <message>
        <source>Refuse</source>
        <translation>Отклонить</translation>
    </message>
    <message>
        <source>Accept all of this conversation…</source>
        <translation>Принять все из этого разговора…</translation>
    </message>
    <message>
        <source>Refuse all of this conversation…</source>
        <translation>Отклонить все из этого разговора…</translation>
    </message>
    <message>
        <source>Show the file</source>
        <translation>Показать файл</translation>
    </message>
    <message>
        <source>Accept all of this file…</source>
        <translation>Принять все из этого файла…</translation>
    </message>
    <message>
        <source>Refuse all of this file…</source>
        <translation>Отклонить все из этого файла…</translation>
    </message>
    <message>
        <source>Nothing here has “{query}”</source>
        <translation>Здесь нет «{query}»</translation>
    </message>
    <message>
        <source>Try other words, or look in the other lists.</source>
        <translation>Попробуйте другие слова или посмотрите в других списках.</translation>
    </message>
    <message>
        <source>Nothing is remembered yet</source>
        <translation>Пока ничего не запомнено</translation>
    </message>
    <message>
        <source>Write “remember that …” in a conversation, or write a fact here: it holds at once. What a model reads out of conversations and files waits as a proposal until you accept it.</source>
        <translation>Напишите в разговоре «запомни, что …» или запишите факт здесь: он верен сразу. То, что модель вычитает из разговоров и файлов, ждёт как предложение, пока вы его не примете.</translation>
    </message>
    <message>
        <source>Nothing has ended</source>
        <translation>Ничего не устарело</translation>
    </message>
    <message>
        <source>When a newer fact takes the place of an older one, or you say that something is no longer so, the older one is kept here with its dates.</source>
        <translation>Когда новый факт сменяет прежний или вы отмечаете, что что-то уже не так, прежний хранится здесь со своими датами.</translation>
    </message>
    <message>
        <source>No proposals wait</source>
        <translation>Предложений нет</translation>
    </message>
    <message>
        <source>What a model reads out of your conversations and files comes here first. Nothing of it is remembered until you accept it, and what you refuse is not proposed again.</source>
        <translation>То, что модель вычитает из ваших разговоров и файлов, сначала попадает сюда. Ничто не запоминается, пока вы его не примете, а отклонённое больше не предлагается.</translation>
    </message>
    <message>
        <source>Titan is starting</source>
        <translation>Titan запускается</translation>
    </message>
    <message>
        <source>The memory is shown as soon as the core is there.</source>
        <translation>Память появится, как только запустится ядро.</translation>
    </message>
    <message>
        <source>The memory cannot be read now</source>
        <translation>Память сейчас не читается</translation>
    </message>
    <message>
        <source>Its database is away or full, or the core is busy; the line above says more. Titan tries again as soon as it is back.</source>
        <translation>Её база данных недоступна или переполнена, или ядро занято; подробности в строке выше. Titan повторит попытку, как только она вернётся.</translation>
    </message>
</context>
<context>
    <name>MemoryView</name>
    <message>
        <source>Memory</source>
        <translation>Память</translation>
    </message>
    <message>
        <source>Find in memory</source>
        <translation>Найти в памяти</translation>
    </message>
    <message>
        <source>New fact…</source>
        <translation>Новый факт…</translation>
    </message>
    <message>
        <source>Which facts</source>
        <translation>Какие факты</translation>
    </message>
    <message>
        <source>Facts</source>
        <translation>Факты</translation>
    </message>
    <message>
        <source>Now</source>
        <translation>Сейчас</translation>
    </message>
    <message>
        <source>Before</source>
        <translation>Раньше</translation>
    </message>
    <message>
        <source>Enter shows where it is from  ·  Ctrl+Enter accepts  ·  Del refuses</source>
        <translation>Enter показывает, откуда  ·  Ctrl+Enter принимает  ·  Del отклоняет</translation>
    </message>
    <message>
        <source>Enter shows where it is from  ·  F2 corrects  ·  Del forgets</source>
        <translation>Enter показывает, откуда  ·  F2 исправляет  ·  Del забывает</translation>
    </message>
    <message>
        <source>Proposals</source>
        <translation>Предложения</translation>
    </message>
</context>
<context>
    <name>MessageJump</name>
    <message>
        <source>Titan&apos;s core does not answer. Try again in a moment.</source>
        <translation>Ядро Titan не отвечает. Повторите через несколько секунд.</translation>
    </message>
    <message>
        <source>This message is no longer there: it was deleted.</source>
        <translation>Этого сообщения больше нет: оно удалено.</translation>
    </message>
</context>
<context>
    <name>MessageList</name>
    <message>
        <source>Copy selection</source>
        <translation>Копировать выделенное</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Копировать</translation>
    </message>
    <message>
        <source>Copy as Markdown</source>
        <translation>Копировать как Markdown</translation>
    </message>
    <message>
        <source>Jump to latest</source>
        <translation>К последнему сообщению</translation>
    </message>
    <message>
        <source>Conversation</source>
        <translation>Разговор</translation>
    </message>
</context>
<context>
    <name>MessageWidget</name>
    <message>
        <source>Your question</source>
        <translation>Ваш вопрос</translation>
    </message>
    <message>
        <source>Titan&apos;s answer</source>
        <translation>Ответ Titan</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Продолжить</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Повторить</translation>
    </message>
    <message>
        <source>Open settings</source>
        <translation>Открыть настройки</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Копировать</translation>
    </message>
    <message>
        <source>Copy the answer</source>
        <translation>Копировать ответ</translation>
    </message>
    <message>
        <source>Sending…</source>
        <translation>Отправляется…</translation>
    </message>
    <message>
        <source>Thinking…</source>
        <translation>Думаю…</translation>
    </message>
    <message>
        <source>Writing an answer…</source>
        <translation>Titan пишет ответ…</translation>
    </message>
    <message>
        <source>Looking in your files…</source>
        <translation>Ищу в ваших файлах…</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>Остановлено</translation>
    </message>
    <message>
        <source>Found in your files:</source>
        <translation>Нашлось в ваших файлах:</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>Скопировано</translation>
    </message>
</context>
<context>
    <name>PageHead</name>
    <message>
        <source>Back to the conversation (Esc)</source>
        <translation>Назад к разговору (Esc)</translation>
    </message>
</context>
<context>
    <name>PassagePage</name>
    <message>
        <source>The program of this file opens it at its beginning. Look there for: {place}.</source>
        <translation>Программа этого файла открывает его с начала. Ищите там: {place}.</translation>
    </message>
    <message>
        <source>Passage of {title}</source>
        <translation>Отрывок: {title}</translation>
    </message>
    <message>
        <source>Open file</source>
        <translation>Открыть файл</translation>
    </message>
    <message>
        <source>Show in folder</source>
        <translation>Показать в папке</translation>
    </message>
    <message>
        <source>Back to the results</source>
        <translation>Назад к найденному</translation>
    </message>
</context>
<context>
    <name>Receipts</name>
    <message>
        <source>It was said here, and there it stays:</source>
        <translation>Это сказано здесь и здесь остаётся:</translation>
    </message>
    <message>
        <source>Put this message away</source>
        <translation>Убрать сообщение</translation>
    </message>
</context>
<context>
    <name>Remembered</name>
    <message>
        <source>Remembered: {fact}</source>
        <translation>Запомнено: {fact}</translation>
    </message>
    <message>
        <source>Titan remembers this already.</source>
        <translation>Titan это уже помнит.</translation>
    </message>
</context>
<context>
    <name>ResultList</name>
    <message>
        <source>Open</source>
        <translation>Открыть</translation>
    </message>
    <message>
        <source>Show in folder</source>
        <translation>Показать в папке</translation>
    </message>
</context>
<context>
    <name>ResultModel</name>
    <message>
        <source>Files</source>
        <translation>Файлы</translation>
    </message>
    <message>
        <source>Messages</source>
        <translation>Сообщения</translation>
    </message>
</context>
<context>
    <name>RichText</name>
    <message>
        <source>Copy</source>
        <translation>Копировать</translation>
    </message>
    <message>
        <source>Copy this code</source>
        <translation>Копировать код</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>Скопировано</translation>
    </message>
</context>
<context>
    <name>Search</name>
    <message>
        <source>None of your files has these words. Closest in meaning:</source>
        <translation>Этих слов нет ни в одном файле. Ближе всего по смыслу:</translation>
    </message>
    <message>
        <source>No file has the exact phrase. Found without the quotes:</source>
        <translation>Точной фразы нет ни в одном файле. Найдено без кавычек:</translation>
    </message>
    <message>
        <source>Nothing has “{written}”. Found for “{shown}”:</source>
        <translation>«{written}» нигде нет. Найдено по «{shown}»:</translation>
    </message>
    <message>
        <source>Nothing fits “{words}”; all files were searched.</source>
        <translation>«{words}»: таких файлов с этими словами нет, поэтому искали во всех.</translation>
    </message>
    <message>
        <source>Search your files and conversations</source>
        <translation>Ищите в файлах и разговорах</translation>
    </message>
    <message>
        <source>Write as you would say it: words in any form, part of a name, a number. “PDF” or “last month” narrow the search.</source>
        <translation>Пишите, как говорите: слова в любой форме, часть имени, число. «PDF» или «в прошлом месяце» сужают поиск.</translation>
    </message>
    <message>
        <source>Try other words: a name, a number, part of a file&apos;s name.</source>
        <translation>Попробуйте другие слова: имя, число, часть имени файла.</translation>
    </message>
    <message>
        <source>Nothing was found for “{query}”</source>
        <translation>По запросу «{query}» ничего не найдено</translation>
    </message>
    <message>
        <source>Titan is starting</source>
        <translation>Titan запускается</translation>
    </message>
    <message>
        <source>The search begins by itself as soon as the core is there.</source>
        <translation>Поиск начнётся сам, как только запустится ядро.</translation>
    </message>
    <message>
        <source>The index cannot be used now</source>
        <translation>Индекс сейчас недоступен</translation>
    </message>
    <message>
        <source>Its database is away or full; the line above the conversation says more. Titan searches again as soon as it is back.</source>
        <translation>Его база данных недоступна или переполнена; подробности в строке над разговором. Titan повторит поиск, как только она вернётся.</translation>
    </message>
    <message>
        <source>The search did not answer</source>
        <translation>Поиск не ответил</translation>
    </message>
    <message>
        <source>Titan&apos;s core is busy or restarting. Change a word, or wait: it searches again.</source>
        <translation>Ядро Titan занято или перезапускается. Измените слово или подождите: поиск повторится сам.</translation>
    </message>
    <message>
        <source>You</source>
        <translation>Вы</translation>
    </message>
    <message>
        <source>Titan</source>
        <translation>Titan</translation>
    </message>
</context>
<context>
    <name>SearchView</name>
    <message>
        <source>Search</source>
        <translation>Поиск</translation>
    </message>
    <message>
        <source>Words, a name, a number, “an exact phrase”</source>
        <translation>Слова, имя, число, «точная фраза»</translation>
    </message>
    <message>
        <source>Search files and conversations</source>
        <translation>Поиск по файлам и разговорам</translation>
    </message>
    <message>
        <source>Found</source>
        <translation>Найдено</translation>
    </message>
    <message>
        <source>Enter opens  ·  Ctrl+Enter shows in the folder  ·  Esc goes back</source>
        <translation>Enter открывает  ·  Ctrl+Enter показывает в папке  ·  Esc — назад</translation>
    </message>
</context>
<context>
    <name>Session</name>
    <message>
        <source>Titan&apos;s core is restarting. Your questions are kept.</source>
        <translation>Ядро Titan перезапускается. Ваши вопросы сохранены.</translation>
    </message>
    <message>
        <source>Titan&apos;s core cannot start: {detail}</source>
        <translation>Ядро Titan не запускается: {detail}</translation>
    </message>
    <message>
        <source>Something went wrong inside the window. Titan goes on; the details are in {path}.</source>
        <translation>В окне произошла ошибка. Titan продолжает работу, подробности — в файле {path}.</translation>
    </message>
</context>
<context>
    <name>SettingsDialog</name>
    <message>
        <source>The model needs a name, such as llama3.2.</source>
        <translation>Укажите название модели, например llama3.2.</translation>
    </message>
    <message>
        <source>Set a password for the key.</source>
        <translation>Задайте пароль, под которым хранить ключ.</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Настройки</translation>
    </message>
    <message>
        <source>General</source>
        <translation>Общие</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Модель</translation>
    </message>
    <message>
        <source>Stores</source>
        <translation>Хранилища</translation>
    </message>
    <message>
        <source>The address must begin with http:// or https:// and name a server, as in {example}. A user, a password or a key does not belong there: the key has its own field.</source>
        <translation>Адрес должен начинаться с http:// или https:// и содержать имя сервера, например {example}. Имени пользователя, пароля и ключа в нём быть не должно: для ключа есть своё поле.</translation>
    </message>
    <message>
        <source>The system&apos;s keyring cannot be used. Unlock or install one, or keep the key another way.</source>
        <translation>Хранилище паролей системы недоступно. Разблокируйте или установите его либо храните ключ иначе.</translation>
    </message>
    <message>
        <source>Match system</source>
        <translation>Как в системе</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Светлая</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Тёмная</translation>
    </message>
    <message>
        <source>OpenAI</source>
        <translation>OpenAI</translation>
    </message>
    <message>
        <source>Ollama on this computer</source>
        <translation>Ollama на этом компьютере</translation>
    </message>
    <message>
        <source>Another server</source>
        <translation>Другой сервер</translation>
    </message>
    <message>
        <source>Built in</source>
        <translation>Встроенное</translation>
    </message>
    <message>
        <source>Docker</source>
        <translation>Docker</translation>
    </message>
    <message>
        <source>By address</source>
        <translation>По адресу</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Сохранить</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Отмена</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Язык</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>Тема</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>Адрес</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Название</translation>
    </message>
    <message>
        <source>Where Titan keeps what it knows. A change takes effect at the next start.</source>
        <translation>Где Titan хранит данные. Изменение вступит в силу при следующем запуске.</translation>
    </message>
    <message>
        <source>Transport (Redis)</source>
        <translation>Обмен данными (Redis)</translation>
    </message>
    <message>
        <source>Documents (PostgreSQL)</source>
        <translation>Документы (PostgreSQL)</translation>
    </message>
    <message>
        <source>Graph</source>
        <translation>Граф</translation>
    </message>
    <message>
        <source>“By address” reads TITAN_REDIS_URL, TITAN_POSTGRES_URL and TITAN_NEO4J_URL from the environment.</source>
        <translation>«По адресу»: адреса берутся из переменных окружения TITAN_REDIS_URL, TITAN_POSTGRES_URL и TITAN_NEO4J_URL.</translation>
    </message>
</context>
<context>
    <name>SettingsPresenter</name>
    <message>
        <source>The settings could not be saved: {reason}.</source>
        <translation>Не удалось сохранить настройки: {reason}.</translation>
    </message>
</context>
<context>
    <name>ShortcutsDialog</name>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Сочетания клавиш</translation>
    </message>
    <message>
        <source>Send the question</source>
        <translation>Отправить вопрос</translation>
    </message>
    <message>
        <source>New line</source>
        <translation>Новая строка</translation>
    </message>
    <message>
        <source>Stop the answer</source>
        <translation>Остановить ответ</translation>
    </message>
    <message>
        <source>New conversation</source>
        <translation>Новый разговор</translation>
    </message>
    <message>
        <source>Search files and conversations</source>
        <translation>Поиск по файлам и разговорам</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Память</translation>
    </message>
    <message>
        <source>Find a conversation</source>
        <translation>Найти разговор</translation>
    </message>
    <message>
        <source>Go to the question field</source>
        <translation>Перейти к полю вопроса</translation>
    </message>
    <message>
        <source>From message to message</source>
        <translation>От сообщения к сообщению</translation>
    </message>
    <message>
        <source>To links, sources and buttons of the message</source>
        <translation>К ссылкам, источникам и кнопкам сообщения</translation>
    </message>
    <message>
        <source>Rename the conversation</source>
        <translation>Переименовать разговор</translation>
    </message>
    <message>
        <source>Delete the conversation</source>
        <translation>Удалить разговор</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Настройки</translation>
    </message>
    <message>
        <source>This overview</source>
        <translation>Этот список</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Выход</translation>
    </message>
</context>
<context>
    <name>Sidebar</name>
    <message>
        <source>Delete conversation</source>
        <translation>Удаление разговора</translation>
    </message>
    <message>
        <source>Delete “{title}” with all its messages?</source>
        <translation>Удалить «{title}» со всеми сообщениями?</translation>
    </message>
    <message>
        <source>This cannot be undone. Your files stay as they are.</source>
        <translation>Отменить это нельзя. С вашими файлами ничего не случится.</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Удалить</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Переименовать</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>Удалить…</translation>
    </message>
    <message>
        <source>New conversation (Ctrl+N)</source>
        <translation>Новый разговор (Ctrl+N)</translation>
    </message>
    <message>
        <source>Menu</source>
        <translation>Меню</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Поиск</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Память</translation>
    </message>
    <message>
        <source>Search files and conversations</source>
        <translation>Поиск по файлам и разговорам</translation>
    </message>
    <message>
        <source>Find a conversation</source>
        <translation>Найти разговор</translation>
    </message>
    <message>
        <source>Conversations</source>
        <translation>Разговоры</translation>
    </message>
    <message>
        <source>No conversation has these words in its title.</source>
        <translation>Нет разговоров с такими словами в названии.</translation>
    </message>
</context>
<context>
    <name>Source</name>
    <message>
        <source>Titan&apos;s core has not started yet. Try again in a moment.</source>
        <translation>Ядро Titan ещё не запустилось. Повторите через несколько секунд.</translation>
    </message>
    <message>
        <source>{name} lies outside the folders that Titan may read.</source>
        <translation>Файл {name} лежит вне папок, которые Titan разрешено читать.</translation>
    </message>
    <message>
        <source>{name} is no longer there: it was moved or deleted.</source>
        <translation>Файла {name} больше нет на месте: он перемещён или удалён.</translation>
    </message>
    <message>
        <source>No program on this computer opens {name}.</source>
        <translation>На этом компьютере нет программы, которая открывает {name}.</translation>
    </message>
    <message>
        <source>The folder of {name} could not be shown.</source>
        <translation>Не удалось показать папку файла {name}.</translation>
    </message>
    <message>
        <source>The link could not be opened: {address}</source>
        <translation>Не удалось открыть ссылку: {address}</translation>
    </message>
</context>
<context>
    <name>SourceList</name>
    <message>
        <source>Sources</source>
        <translation>Источники</translation>
    </message>
    <message>
        <source>Show {count} more</source>
        <translation>Показать ещё {count}</translation>
    </message>
</context>
<context>
    <name>SourceRow</name>
    <message>
        <source>Open source {number}: {title}</source>
        <translation>Открыть источник {number}: {title}</translation>
    </message>
    <message>
        <source>Hide the passage</source>
        <translation>Скрыть отрывок</translation>
    </message>
    <message>
        <source>Show the passage</source>
        <translation>Показать отрывок</translation>
    </message>
    <message>
        <source>Passage of {title}</source>
        <translation>Отрывок из {title}</translation>
    </message>
</context>
<context>
    <name>StartScreen</name>
    <message>
        <source>Ask about your files</source>
        <translation>Спросите о своих файлах</translation>
    </message>
    <message>
        <source>Titan reads your documents and answers from them, naming the file and the passage.</source>
        <translation>Titan читает ваши документы и отвечает по ним, называя файл и отрывок.</translation>
    </message>
    <message>
        <source>It reads these folders and nothing else: {folders}.</source>
        <translation>Он читает только эти папки: {folders}.</translation>
    </message>
    <message>
        <source>Try one of these, or write your own question below.</source>
        <translation>Попробуйте один из примеров или напишите свой вопрос.</translation>
    </message>
    <message>
        <source>What is the deposit in my rental agreement?</source>
        <translation>Какой залог указан в моём договоре аренды?</translation>
    </message>
    <message>
        <source>Show me the contract as PDF</source>
        <translation>Покажи договор в PDF</translation>
    </message>
    <message>
        <source>Which invoices are due this month?</source>
        <translation>Какие счета нужно оплатить в этом месяце?</translation>
    </message>
</context>
<context>
    <name>StatusPresenter</name>
    <message>
        <source>No model is connected: answers show the passages that were found.</source>
        <translation>Модель не подключена: в ответах будут найденные отрывки.</translation>
    </message>
    <message>
        <source>Connect a model…</source>
        <translation>Подключить модель…</translation>
    </message>
    <message>
        <source>Titan closed unexpectedly. Nothing was lost.</source>
        <translation>Titan неожиданно закрылся. Ничего не потеряно.</translation>
    </message>
    <message>
        <source>Titan closed unexpectedly. What you wrote last may be missing.</source>
        <translation>Titan неожиданно закрылся. Написанное в последний момент могло не сохраниться.</translation>
    </message>
    <message>
        <source>Unlock…</source>
        <translation>Ввести пароль…</translation>
    </message>
    <message>
        <source>Read it…</source>
        <translation>Читать…</translation>
    </message>
    <message numerus="yes">
        <source>%n job(s) failed.</source>
        <translation>
            <numerusform>%n задача не выполнена.</numerusform>
            <numerusform>%n задачи не выполнены.</numerusform>
            <numerusform>%n задач не выполнено.</numerusform>
        </translation>
    </message>
    <message>
        <source>Show…</source>
        <translation>Показать…</translation>
    </message>
</context>
<context>
    <name>ThoughtsRow</name>
    <message>
        <source>Thoughts</source>
        <translation>Размышления</translation>
    </message>
    <message>
        <source>Hide the thoughts</source>
        <translation>Скрыть размышления</translation>
    </message>
    <message>
        <source>Show the thoughts</source>
        <translation>Показать размышления</translation>
    </message>
</context>
<context>
    <name>UnlockDialog</name>
    <message>
        <source>Unlock the key</source>
        <translation>Пароль от ключа</translation>
    </message>
    <message>
        <source>Your password protects the model&apos;s key. Without it, answers are passages from your files.</source>
        <translation>Ключ модели хранится под вашим паролем. Без него ответы — это отрывки из файлов.</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>Пароль</translation>
    </message>
    <message>
        <source>Unlock</source>
        <translation>Открыть</translation>
    </message>
    <message>
        <source>Not now</source>
        <translation>Не сейчас</translation>
    </message>
</context>
<context>
    <name>UnlockPresenter</name>
    <message>
        <source>Titan is still starting. Try again in a moment.</source>
        <translation>Titan ещё запускается. Повторите чуть позже.</translation>
    </message>
    <message>
        <source>This is not the password.</source>
        <translation>Пароль неверен.</translation>
    </message>
</context>
</TS>
