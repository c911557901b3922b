"""What people write for the predicates that have a code, in Russian and English; plain sentences that use them.

Pure. A sentence is read as subject, predicate and object only where it is nothing but these; what is doubtful
stays a sentence, which loses nothing but that a newer one does not end it.
"""

import re
from typing import NamedTuple

from titan_desktop.contracts.predicates import CODES, ONE_AT_A_TIME
from titan_desktop.ports.facts import plain

_WRITTEN = {
    "age": ("is aged", "возраст"),
    "allergic_to": (
        "am allergic to", "is allergic to", "аллергия на", "имею аллергию на", "имеет аллергию на",
    ),
    "birthday": ("was born on", "birthday is", "родился", "родилась", "день рождения"),
    "boss": ("boss is", "начальник", "начальница"),
    "child_of": ("is a child of", "is the son of", "is the daughter of", "сын", "дочь"),
    "deadline": ("is due on", "deadline is", "срок"),
    "dislikes": (
        "dislike", "dislikes", "hate", "hates", "do not like", "don't like", "does not like", "doesn't like",
        "не люблю", "не любит", "ненавижу", "ненавидит",
    ),
    "email": ("email is", "e-mail is", "почта", "имейл"),
    "friend_of": ("is a friend of", "am a friend of", "дружу с", "дружит с"),
    "job": ("work as", "works as", "am working as", "is working as", "работаю", "работает"),
    "knows": ("know", "knows", "знаю", "знает", "знаком с", "знакома с"),
    "likes": ("like", "likes", "love", "loves", "люблю", "любит", "нравится"),
    "lives_in": (
        "live in", "lives in", "moved to", "have moved to", "has moved to", "reside in", "resides in",
        "am living in", "is living in", "now live in", "now lives in",
        "живу в", "живёт в", "живу на", "живёт на", "переехал в", "переехала в", "проживаю в", "проживает в",
        "теперь живу в", "теперь живёт в", "живу теперь в", "живёт теперь в",
    ),
    "located_in": ("is located in", "lies in", "находится в", "лежит в", "стоит в"),
    "married_to": (
        "am married to", "is married to", "женат на", "замужем за", "женился на", "вышла замуж за",
    ),
    "member_of": ("am a member of", "is a member of", "состою в", "состоит в"),
    "name": ("am called", "is called", "my name is", "меня зовут"),
    "owns": ("own", "owns", "have a", "have an", "has a", "has an", "владею", "владеет"),
    "parent_of": ("is the mother of", "is the father of", "мать", "отец"),
    "phone": ("phone is", "phone number is", "телефон", "номер телефона"),
    "price": ("costs", "стоит"),
    "speaks": ("speak", "speaks", "говорю на", "говорит на"),
    "studies_at": ("study at", "studies at", "учусь в", "учится в", "учусь на", "учится на"),
    "visited": ("visited", "have visited", "has visited", "был в", "была в", "побывал в", "побывала в"),
    "works_at": (
        "work at", "works at", "work for", "works for", "am working at", "is working at", "now work at",
        "now works at", "работаю в", "работает в", "работаю на", "работает на", "теперь работаю в",
        "теперь работает в", "устроился в", "устроилась в",
    ),
    "works_on": ("work on", "works on", "работаю над", "работает над"),
}  # fmt: skip
_CODE_OF = {plain(words): code for code, written in _WRITTEN.items() for words in written}
# Longer ones first: "work at" is not "work". Nouns need more than their own word to be a predicate.
_IN_SENTENCES = sorted(
    (
        words
        for written in _WRITTEN.values()
        for words in written
        if " " in words or words.endswith(("ю", "ет", "ит", "у", "лся", "лась"))
        or words in {"like", "likes", "love", "loves", "speak", "speaks", "hate", "hates", "dislike", "dislikes"}
    ),
    key=len,
    reverse=True,
)  # fmt: skip
_SENTENCE = re.compile(
    r"(?P<subject>(?:[^\W\d_][\w'’.-]*\s+){0,3}?)"
    rf"(?P<predicate>{'|'.join(re.escape(words).replace('ё', '[её]') for words in _IN_SENTENCES)})"
    r"\s+(?P<object>[^\s,;:!?]+(?:\s+[^\s,;:!?]+){0,5})",
    re.IGNORECASE,
)
_ME = frozenset({"i", "я", "мне", "меня"})
_NOBODY = frozenset({
    "he", "she", "it", "they", "we", "you", "this", "that", "there", "who", "which", "what", "when", "if", "not",
    "my", "our", "his", "her", "their", "to", "the", "a", "an", "он", "она", "оно", "они", "мы", "ты", "вы", "это",
    "тот", "кто", "что", "когда", "если", "не", "мой", "моя", "моё", "мое", "мне", "его", "её", "ее", "их", "наш",
    "давно", "как", "и", "но",
})  # fmt: skip
"""What begins no name: who is meant is said elsewhere."""
_NO_OBJECT = frozenset({
    "not", "never", "and", "or", "but", "that", "if", "because", "when", "to", "не", "и", "или", "но", "что",
    "если", "потому", "когда", "ли", "чтобы",
})  # fmt: skip


class Parts(NamedTuple):
    """A sentence in parts. `subject` is "" for the person."""

    subject: str
    predicate: str
    object: str


def code_of(written: str) -> str:
    """Return a predicate in its plain form: its code where it has one."""
    key = plain(written)
    if key in CODES:
        return key
    return _CODE_OF.get(key) or _CODE_OF.get(key.removeprefix("is ").removeprefix("am ")) or key


def ends_the_former(predicate: str) -> bool:
    """Whether a newer fact with this predicate ends the former one; no other does unless it is said."""
    return predicate in ONE_AT_A_TIME


def read(sentence: str) -> Parts | None:
    """Read "Anna lives in Berlin" or «я живу в Берлине»; None for everything that is more than that."""
    found = _SENTENCE.fullmatch(sentence.strip().rstrip(".!").strip())
    if found is None:
        return None
    subject, predicate, target = (found[part].strip() for part in ("subject", "predicate", "object"))
    words = plain(subject).split()
    if set(plain(target).split()) & _NO_OBJECT:
        return None
    code = code_of(predicate)
    if not words:
        # Only what says "I" by itself, or a Russian verb in the first person, is about the person.
        first_person = plain(predicate).split()[-1 if len(predicate.split()) == 1 else 0]
        is_mine = code == "name" or first_person.endswith(("ю", "у")) or "люблю" in plain(predicate)
        return Parts("", code, target) if is_mine else None
    if words[0] in _ME and len(words) == 1:
        return Parts("", code, target)
    if set(words) & (_NOBODY | _ME) or not subject[0].isupper():
        return None
    return Parts(subject, code, target)
