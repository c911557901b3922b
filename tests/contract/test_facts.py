"""One suite for every Facts: what holds when, what ends what, who is one, what is forgotten."""

from datetime import UTC, datetime

import pytest

from tests.contract.statements import AT, learn, said, texts
from titan_desktop.contracts.memory import (
    ME,
    CorrectFact,
    EntitiesMerged,
    EntityKind,
    FactChanged,
    FactClosed,
    FactLearned,
    FactProposed,
    FactState,
    FromFile,
    FromMessage,
    ListEntities,
    ListFacts,
    MemoryForgotten,
    MemoryVoid,
    Rule,
    RulesChanged,
    Void,
)
from titan_desktop.ports.facts import OPEN, Facts


async def listed(facts: Facts, **wanted: object) -> list[str]:
    page = await facts.page(ListFacts(**wanted))  # type: ignore[arg-type]
    assert page is not None
    return [fact.text for fact in page.facts]


async def test_a_fact_is_learned_once_and_told_again(facts: Facts) -> None:
    """A command that is delivered twice tells the same; another that says the same says which fact it is."""
    origin = FromMessage(message_id="m", conversation_id="c")
    once = said("lives_in", "Berlin", fact_id="f", origin=origin)
    (told,) = await facts.learn(once, proposed=False)
    assert isinstance(told, FactLearned)
    assert (told.fact.subject_id, told.fact.object, told.fact.origin) == (ME, "Berlin", origin)
    assert await facts.learn(once, proposed=False) == (told,)
    again = said("lives_in", " BERLIN ", fact_id="g")
    assert await facts.learn(again, proposed=False) == (
        MemoryVoid(subject_id="g", reason=Void.KNOWN, known_id="f"),
    )


async def test_a_newer_fact_ends_the_one_with_its_subject_and_predicate_and_nothing_else(
    facts: Facts,
) -> None:
    await learn(facts, "lives_in", "Paris", year=2020)
    await learn(facts, "lives_in", "Rome", subject="Анна", year=2020)
    await learn(facts, "works_at", "Acme", year=2020)
    await learn(facts, "likes", "tea", year=2020, replaces=False)
    events = await learn(facts, "lives_in", "Berlin", year=2024)
    await learn(facts, "likes", "coffee", year=2024, replaces=False)
    [closed] = [event for event in events if isinstance(event, FactClosed)]
    assert (closed.fact.object, closed.fact.valid_to) == ("Paris", "2024-01-01T00:00:00.000Z")
    assert set(await listed(facts)) == {
        "Анна lives_in Rome", "works_at Acme", "likes tea", "likes coffee", "lives_in Berlin",
    }  # fmt: skip
    assert "lives_in Paris" in await listed(facts, as_of="2022-05-01")
    assert "lives_in Berlin" not in await listed(facts, as_of="2022-05-01")
    assert "lives_in Paris" in await listed(facts, all_times=True)
    assert list(await listed(facts, ended=True)) == ["lives_in Paris"]
    assert not await listed(facts, ended=True, as_of="2022-05-01")


async def test_what_is_learned_late_of_an_earlier_time_ends_where_the_next_begins(facts: Facts) -> None:
    """Paris 2010, Berlin 2020, and only then Rome 2015: each holds until the next."""
    for city, year in (("Paris", 2010), ("Berlin", 2020), ("Rome", 2015)):
        await learn(facts, "lives_in", city, year=year)
    when = {f"{year}-06-01": await listed(facts, as_of=f"{year}-06-01") for year in (2012, 2017, 2022)}
    assert list(when.values()) == [["lives_in Paris"], ["lives_in Rome"], ["lives_in Berlin"]]
    assert await listed(facts) == ["lives_in Berlin"]


async def test_what_was_known_at_a_time_is_shown_as_it_was_known(facts: Facts) -> None:
    """The end of a fact, and that it was wrong, were not known before they were said."""
    await learn(facts, "lives_in", "Paris", year=2010)
    await learn(facts, "likes", "tee", fact_id="tee", replaces=False)
    then = datetime.now(UTC).isoformat()
    await learn(facts, "lives_in", "Berlin", year=2020)
    await facts.correct(
        CorrectFact(fact_id="tea", former_id="tee", object="tea"), said("", "tea", text="", fact_id="tea")
    )
    assert set(await listed(facts, known_at=then)) == {"lives_in Paris", "likes tee"}
    assert set(await listed(facts)) == {"lives_in Berlin", "likes tea"}
    page = await facts.page(ListFacts(known_at=then, words="Paris"))
    assert page is not None
    assert (page.facts[0].valid_to, page.facts[0].closed_at) == ("", "")


async def test_a_sentence_is_a_fact_about_the_person(facts: Facts) -> None:
    """And the same sentence in other capitals, with ё or other marks, is the same fact."""
    (told,) = await facts.learn(said("", "", text="Ключ лежит под ковром, ещё один у мамы."), proposed=False)
    assert isinstance(told, FactLearned)
    assert (told.fact.subject_id, told.fact.predicate, told.fact.object) == (ME, "", "")
    (void,) = await facts.learn(said("", "", text="ключ лежит под ковром — еще один у мамы"), proposed=False)
    assert isinstance(void, MemoryVoid)
    assert void.known_id == told.fact.id


async def test_a_proposal_waits_and_ends_nothing_until_it_is_accepted(facts: Facts) -> None:
    await learn(facts, "lives_in", "Paris", year=2010)
    (told,) = await facts.learn(said("lives_in", "Berlin", fact_id="b", year=2020), proposed=True)
    assert isinstance(told, FactProposed)
    assert await listed(facts) == ["lives_in Paris"]
    assert await listed(facts, state=FactState.PROPOSED) == ["lives_in Berlin"]
    events = await facts.decide(["b"], None, accepts=True)
    assert [type(event) for event in events] == [FactLearned, FactClosed]
    assert await listed(facts) == ["lives_in Berlin"]
    assert await facts.decide(["b"], None, accepts=True) == events


async def test_a_refused_proposal_is_not_made_again_but_the_person_may_say_it(facts: Facts) -> None:
    await facts.learn(said("likes", "tea", fact_id="a"), proposed=True)
    (told,) = await facts.decide(["a"], None, accepts=False)
    assert isinstance(told, FactChanged)
    assert told.fact.state is FactState.REFUSED
    (void,) = await facts.learn(said("likes", "Tea", fact_id="b"), proposed=True)
    assert void == MemoryVoid(subject_id="b", reason=Void.KNOWN, known_id="a")
    assert await listed(facts, state=FactState.PROPOSED) == []
    (told_again, known) = await facts.learn(said("likes", "tea", fact_id="c"), proposed=False)
    assert isinstance(told_again, FactLearned)
    assert known == MemoryVoid(subject_id="c", reason=Void.KNOWN, known_id="a")
    assert await listed(facts) == ["likes tea"]


async def test_a_rule_decides_about_what_waits_and_what_comes(facts: Facts) -> None:
    """Of one predicate, of one folder; a refusal goes before an acceptance, and no rule means everything."""
    bank, other = FromFile(path="/d/bank/a.pdf"), FromFile(path="/d/banking/b.pdf")
    await facts.learn(said("price", "5", subject="x", origin=bank, fact_id="a"), proposed=True)
    await facts.learn(said("price", "6", subject="y", origin=other, fact_id="b"), proposed=True)
    events = await facts.decide([], Rule(source="/d/bank"), accepts=True)
    assert [type(event) for event in events] == [RulesChanged, FactLearned]
    await facts.learn(said("likes", "tea", origin=bank, fact_id="c"), proposed=True)
    await facts.decide([], Rule(predicate="likes"), accepts=False)
    await facts.learn(said("likes", "coffee", origin=bank, fact_id="d"), proposed=True)
    assert set(await listed(facts)) == {"x price 5", "likes tea"}
    assert await listed(facts, state=FactState.REFUSED) == ["likes coffee"]
    assert await listed(facts, state=FactState.PROPOSED) == ["y price 6"]
    await facts.decide([], Rule(), accepts=True)
    assert len(await facts.rules()) == 2
    assert await facts.drop_rule(Rule(predicate="likes")) == (RulesChanged(),)
    await facts.learn(said("likes", "juice", origin=bank, fact_id="e"), proposed=True)
    assert "likes juice" in await listed(facts)


async def test_a_correction_stands_in_the_place_of_what_was_wrong(facts: Facts) -> None:
    """What the wrong one ended by mistake holds again; the former one is found in the history."""
    await learn(facts, "lives_in", "Paris", subject="Анна", year=2010)
    await learn(facts, "lives_in", "Berlin", subject="Анна", year=2020, fact_id="wrong")
    await facts.pin("wrong", pinned=True)
    command = CorrectFact(fact_id="right", former_id="wrong", subject="Борис")
    statement = said("", "", subject="Борис", fact_id="right", text="")
    changed, *closed = await facts.correct(command, statement)
    assert isinstance(changed, FactChanged)
    assert (changed.fact.text, changed.fact.pinned, changed.former_id) == (
        "Борис lives_in Berlin",
        True,
        "wrong",
    )
    assert changed.fact.valid_from == "2020-01-01T00:00:00.000Z"
    assert closed == []
    assert set(await listed(facts)) == {"Анна lives_in Paris", "Борис lives_in Berlin"}
    explained = await facts.explain("right")
    assert explained is not None
    assert [(one.id, one.state) for one in explained.history] == [("wrong", FactState.CORRECTED)]
    (void,) = await facts.correct(
        CorrectFact(fact_id="third", former_id="wrong", object="Rom"),
        said("", "Rom", text="", fact_id="third"),
    )
    assert void == MemoryVoid(subject_id="wrong", reason=Void.NOT_FOUND)


async def test_words_find_a_fact_by_its_text_and_by_every_name_of_what_it_is_about(facts: Facts) -> None:
    """In any form and in both alphabets; the rarer word counts more, and question words find nothing."""
    await learn(facts, "likes", "зелёный чай", subject="Анна Кузнецова", replaces=False)
    await learn(facts, "likes", "кофе", subject="Борис", replaces=False)
    await learn(facts, "owns", "чайник", subject="Борис", replaces=False)
    assert await listed(facts, words="что любит Анна?") == ["Анна Кузнецова likes зелёный чай"]
    assert await listed(facts, words="зеленого чая") == ["Анна Кузнецова likes зелёный чай"]
    assert await listed(facts, words="kuznetsova") == ["Анна Кузнецова likes зелёный чай"]
    assert set(await listed(facts, words="Борис")) == {"Борис likes кофе", "Борис owns чайник"}
    assert (await listed(facts, words="Борис и его кофе"))[0] == "Борис likes кофе"
    assert await listed(facts, words="жираф") == []
    (anna,) = (await facts.entities(ListEntities(words="анна"))).entities
    await facts.learn(said("knows", "Аня", fact_id="alias"), proposed=False)
    (anya,) = (await facts.entities(ListEntities(words="аня"))).entities
    await facts.merge("m", anna.id, anya.id, "e")
    assert "Анна Кузнецова likes зелёный чай" in await listed(facts, words="Аня")


async def test_pages_join_without_a_gap_the_pinned_first(facts: Facts) -> None:
    for number in range(7):
        await learn(facts, "likes", f"tea {number}", fact_id=f"f{number}", replaces=False)
    await facts.pin("f2", pinned=True)
    for words in ("", "tea"):
        found, cursor = list[str](), ""
        while True:
            page = await facts.page(ListFacts(limit=3, cursor=cursor, words=words))
            assert page is not None
            found += [fact.id for fact in page.facts]
            cursor = page.cursor
            if not page.more:
                break
        assert sorted(found) == [f"f{number}" for number in range(7)]
        assert words or found[0] == "f2"
    for bad in ("x", "1 yesterday f", "-1"):
        assert await facts.page(ListFacts(cursor=bad)) is None
        assert await facts.page(ListFacts(cursor=bad, words="tea")) is None
    assert await facts.page(ListFacts(as_of="yesterday")) is None


async def test_entities_are_one_by_name_and_by_the_persons_word_and_can_be_taken_apart(facts: Facts) -> None:
    """Names and facts go back, those too that were learned while they were one."""
    await learn(facts, "likes", "tea", subject="Анна", subject_kind=EntityKind.PERSON, replaces=False)
    await learn(facts, "owns", "a cat", subject="АННА", replaces=False)
    await learn(
        facts, "likes", "jazz", subject="Анна Петрова", subject_kind=EntityKind.PERSON, replaces=False
    )
    found = await facts.entities(ListEntities(kind=EntityKind.PERSON))
    by_name = {one.name: one for one in found.entities}
    assert by_name["Анна"].facts == 2
    [proposal] = found.proposals
    assert {proposal.kept.name, proposal.merged.name} == {"Анна", "Анна Петрова"}
    short, long = by_name["Анна"], by_name["Анна Петрова"]
    (merged,) = await facts.merge("m", long.id, short.id, "e")
    assert isinstance(merged, EntitiesMerged)
    assert (merged.kept.id, merged.kept.aliases, merged.kept.facts) == (long.id, ("Анна",), 3)
    await learn(facts, "speaks", "Greek", subject="анна", replaces=False)
    assert len(await listed(facts, entity_id=short.id)) == 4
    [told] = (await facts.entities(ListEntities())).merges
    assert (told.merge_id, told.merged_name) == ("m", "Анна")
    (undone,) = await facts.undo_merge("m")
    assert isinstance(undone, EntitiesMerged)
    assert undone.undone
    assert set(await listed(facts, entity_id=short.id)) == {
        "Анна likes tea",
        "АННА owns a cat",
        "анна speaks Greek",
    }
    assert (await facts.entities(ListEntities())).proposals == ()
    (void,) = await facts.merge("n", long.id, long.id, "e")
    assert void == MemoryVoid(subject_id="n", reason=Void.CONFLICT)
    (void,) = await facts.undo_merge("nothing")
    assert void == MemoryVoid(subject_id="nothing", reason=Void.NOT_FOUND)


async def test_a_forgotten_fact_takes_its_versions_and_lonely_entities_along_and_does_not_come_back(
    facts: Facts,
) -> None:
    wrong = said("allergic_to", "nuts", subject="Анна", fact_id="wrong")
    await facts.learn(wrong, proposed=False)
    await facts.correct(
        CorrectFact(fact_id="right", former_id="wrong", object="eggs"),
        said("", "eggs", text="", fact_id="right"),
    )
    await learn(facts, "likes", "eggs", fact_id="other", replaces=False)
    (gone,) = await facts.forget_fact("right")
    assert gone == MemoryForgotten(subject_id="right", facts=2)
    assert await facts.explain("wrong") is None
    assert await listed(facts, all_times=True) == ["likes eggs"]
    assert {one.name for one in (await facts.entities(ListEntities(words="a"))).entities} == set()
    (void,) = await facts.learn(wrong, proposed=False)
    assert void == MemoryVoid(subject_id="wrong", reason=Void.NOT_FOUND)
    assert await facts.forget_fact("right") == (gone,)
    (void,) = await facts.forget_fact("nothing")
    assert void == MemoryVoid(subject_id="nothing", reason=Void.NOT_FOUND)


async def test_a_forgotten_person_takes_every_fact_that_names_them(facts: Facts) -> None:
    """Under all their names; facts of others stay, and so does the person whose memory it is."""
    await learn(facts, "likes", "tea", subject="Анна", replaces=False)
    await learn(facts, "knows", "Аня", replaces=False)
    await learn(facts, "likes", "coffee", replaces=False)
    (anna,), (anya,) = [(await facts.entities(ListEntities(words=name))).entities for name in ("анна", "аня")]
    await facts.merge("m", anna.id, anya.id, "e")
    (gone,) = await facts.forget_entity(anya.id)
    assert gone == MemoryForgotten(subject_id=anya.id, facts=2)
    assert await listed(facts, all_times=True) == ["likes coffee"]
    assert (await facts.entities(ListEntities(words="ан"))).entities == ()
    await facts.forget_entity(ME)
    assert await listed(facts, all_times=True) == []
    await learn(facts, "likes", "water", replaces=False)
    (again,) = await facts.forget_entity(ME)
    assert again == MemoryForgotten(subject_id=ME, facts=1)


async def test_a_fact_can_end_without_another(facts: Facts) -> None:
    await learn(facts, "works_at", "Acme", year=2020, fact_id="f")
    (closed,) = await facts.close("f", datetime(2023, 1, 1, tzinfo=UTC))
    assert isinstance(closed, FactClosed)
    assert closed.fact.valid_to == "2023-01-01T00:00:00.000Z"
    assert await listed(facts) == []
    assert await listed(facts, as_of="2022-01-01") == ["works_at Acme"]
    (void,) = await facts.close("f", datetime(2019, 1, 1, tzinfo=UTC))
    assert void == MemoryVoid(subject_id="f", reason=Void.BAD_TIME)


async def test_changes_are_what_a_graph_needs_and_no_word_of_what_was_said(facts: Facts) -> None:
    """Everything from the beginning, and then what is newer; what is gone is named by its id."""
    await learn(facts, "lives_in", "Berlin", fact_id="b", year=2020)
    await learn(facts, "hides the key under", "the mat", fact_id="k", replaces=False)
    first = await facts.changes(0, 2)
    assert first.more
    whole = await facts.changes(0, 100)
    assert {link.fact_id: (link.predicate, link.valid_to) for link in whole.links} == {
        "b": ("lives_in", OPEN), "k": ("", OPEN),
    }  # fmt: skip
    kinds = dict(whole.entities)
    assert kinds[ME] == "person"
    assert {link.object_id for link in whole.links} <= set(kinds)
    assert "mat" not in str(whole)
    await facts.forget_fact("k")
    newer = await facts.changes(whole.revision, 100)
    assert "k" in newer.gone
    assert not newer.links
    assert (await facts.changes(newer.revision, 100)).revision == newer.revision


@pytest.mark.parametrize("name", ["a\x00b", "'; DROP TABLE facts; --", "é" * 900, "😀" * 900])
async def test_any_text_is_a_name(facts: Facts, name: str) -> None:
    await learn(facts, "likes", name, subject=name, text=name, replaces=False, at=AT)
    assert len(await texts(facts)) == 1


async def test_a_question_recalls_few_facts_that_hold_and_touch_it(facts: Facts) -> None:
    """The best first; none that has ended, begins later or has no word of it, and a proposal is none."""
    await learn(facts, "lives_in", "Paris", year=2010)
    await learn(facts, "lives_in", "Berlin", year=2020)
    await learn(facts, "likes", "Berlin pancakes", year=2020)
    await learn(facts, "visited", "Berlin", year=2999)
    await facts.learn(said("owns", "a flat in Berlin", fact_id="p"), proposed=True)
    found = await facts.recall("Which pancakes do they have in Berlin?", 2)
    assert [fact.object for fact in found] == ["Berlin pancakes", "Berlin"]
    assert await facts.recall("Where is Paris?", 5) == ()
    assert await facts.recall("", 5) == ()


async def test_what_is_least_used_and_not_pinned_goes_when_there_are_too_many(facts: Facts) -> None:
    """In one forgetting, erased like any other; the last learned stays."""
    for name in ("tea", "jam", "figs", "soup"):
        await facts.learn(said("likes", name, fact_id=name, replaces=False), proposed=False)
    await facts.pin("tea", pinned=True)
    await facts.note_used(["jam"])
    assert await facts.keep(4) == ()
    (told,) = await facts.keep(3)
    assert isinstance(told, MemoryForgotten)
    assert told.facts == 1
    assert sorted(await listed(facts)) == ["likes jam", "likes soup", "likes tea"]
    assert await facts.explain("figs") is None
    assert (await facts.keep(1))[0].facts == 2  # type: ignore[attr-defined]
    assert await facts.keep(0) == ()
