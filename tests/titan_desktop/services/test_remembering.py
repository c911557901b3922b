"""What is recognised without a model: what to remember, and sentences in three parts."""

import pytest

from titan_desktop.services.facts import predicates
from titan_desktop.services.facts.predicates import Parts
from titan_desktop.services.facts.remembering import told_to_remember


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("Remember that the key is under the mat.", "the key is under the mat."),
        ("please remember: I live in Berlin", "I live in Berlin"),
        ("Titan, don't forget that Anna's flight is at 7", "Anna's flight is at 7"),
        ("Запомни, что ключ лежит под ковром", "ключ лежит под ковром"),
        ("запомни что я не ем мясо", "я не ем мясо"),
        ("Запомни: пароль от Wi-Fi на холодильнике", "пароль от Wi-Fi на холодильнике"),
        ("Запомни, пожалуйста, что у Анны аллергия на орехи!", "у Анны аллергия на орехи!"),
        ("Пожалуйста, не забудь, что приём в пятницу", "приём в пятницу"),
        ("Remember that I like tea, please.", "I like tea"),
        ("запомни — дача закрыта до мая", "дача закрыта до мая"),
    ],
)
def test_what_is_to_be_remembered_is_recognised(message: str, told: str) -> None:
    assert told_to_remember(message) == told


@pytest.mark.parametrize(
    "message",
    [
        "Do you remember that the key is under the mat?",
        "remember that evening?",
        "Remember to call Anna",
        "remember when we met",
        "I remember that the key is under the mat",
        "Ты запомнила, что ключ под ковром?",
        "помни меня",
        "запомни",
        "Запомни, что: ",
        "Запомни что я сказал?",
        "Remember that: x",
        "Summarise this: remember that the key is under the mat",
        "Remember that the key is under the mat.\n\nAnd what is the deposit in my lease?",
        "Remember that " + "x " * 1000,
    ],
)
def test_what_only_sounds_like_it_is_left_to_the_model(message: str) -> None:
    assert told_to_remember(message) == ""


@pytest.mark.parametrize(
    ("sentence", "parts"),
    [
        ("I live in Berlin", Parts("", "lives_in", "Berlin")),
        ("Анна живет в Новом Уренгое.", Parts("Анна", "lives_in", "Новом Уренгое")),
        ("я переехала в Осло", Parts("", "lives_in", "Осло")),
        ("живу в Осло", Parts("", "lives_in", "Осло")),
        ("Anna Petrova works at Acme Ltd", Parts("Anna Petrova", "works_at", "Acme Ltd")),
        ("Не люблю кинзу", Parts("", "dislikes", "кинзу")),
        ("меня зовут Анна", Parts("", "name", "Анна")),
        ("the key is under the mat", None),
        ("он живёт в Осло", None),
        ("my sister lives in Oslo", None),
        ("Anna lives in Oslo, but works in Bergen", None),
        ("Anna does not live in Oslo", None),
        ("Anna lives in Oslo when she is not in Rome", None),
        ("I have never been to Rome", None),
        ("likes tea", None),
    ],
)
def test_a_sentence_is_parted_only_where_it_is_nothing_else(sentence: str, parts: Parts | None) -> None:
    assert predicates.read(sentence) == parts


def test_a_predicate_is_the_same_in_both_languages() -> None:
    """And what has no code keeps its words."""
    assert {predicates.code_of(written) for written in ("lives in", "ЖИВЁТ В", "lives_in")} == {"lives_in"}
    assert predicates.code_of("Hides  from") == "hides from"
    assert predicates.ends_the_former("lives_in")
    assert not predicates.ends_the_former("likes")
    assert not predicates.ends_the_former("hides from")
