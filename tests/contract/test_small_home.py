"""The keyword leg in a small home full of decoys, where every word is rare: what each question must put first."""

import pytest

from tests.conftest import SHARED_DATA
from tests.contract.corpus import entry, of
from titan_desktop.contracts.search import Instead
from titan_desktop.ports.passages import Passages

HOME = SHARED_DATA.parent / "reports" / "search"

FIRST = {
    "what is the deposit in the lease?": "lease.txt",
    "how much is the deposit?": "visa.txt",
    "deposit": "visa.txt",
    "какой платёж по договору найма": "найм жилья.txt",
    "по договору": "найм жилья.txt",
    "договор № 17/2024-АБ": "найм жилья.txt",
    "17/2024-AБ": "найм жилья.txt",
    "172024аб": "найм жилья.txt",
    "+79123456789": "найм жилья.txt",
    "89123456789": "найм жилья.txt",
    "8 912 345-67-89": "найм жилья.txt",
    "(912) 345 67 89": "найм жилья.txt",
    "345-67-89": "найм жилья.txt",
    "84951234567": "visa.txt",
    "ivan.petrov@example.org": "найм жилья.txt",
    "почта Петрова": "найм жилья.txt",
    "ёлка": "найм жилья.txt",
    "елка": "найм жилья.txt",
    "счетчики": "найм жилья.txt",
    "кузнецов": "visa.txt",
    "Сергей Кузнецов": "visa.txt",
    "S.Kuznetsov@Example.com": "visa.txt",
    "2024/0312-ХК": "visa.txt",
    "Shchegolev": "анализы.txt",
    "гемоглобин у меня какой": "анализы.txt",
    "100 мл": "смета.txt",
    "100мл": "смета.txt",
    "16 ГБ": "смета.txt",
    "12500": "смета.txt",
    "12,500.00": "смета.txt",
    "177 500": "смета.txt",
    "2.5 кг": "смета.txt",
    "согласование акта": "смешанный.txt",
    "1234.56": "счёт за свет.txt",
    "1,234.56": "счёт за свет.txt",
    "счёт за электричество": "счёт за свет.txt",
    "40817810099910004312": "счёт за свет.txt",
    "18810377240312345678": "квитанция.txt",
    "где лежит полис ОСАГО": "страховка.txt",
    "сколько стоит страховка": "страховка.txt",
    "7200": "страховка.txt",
    "wifi": "паспорт котла.txt",
    "Wi-Fi": "паспорт котла.txt",
    "usbc": "паспорт котла.txt",
    "C++": "паспорт котла.txt",
    "c#": "паспорт котла.txt",
    "А7-0012345": "паспорт котла.txt",
    "eco 4s": "паспорт котла.txt",
    "давление 1,5 бар": "паспорт котла.txt",
    "отпуск за свой счёт": "отпуск.txt",
    "рецепт": "рецепт.txt",
}
NOTHING = (
    "какой депозит за квартиру",
    "what is the salary of the director?",
    "сколько стоит холодильник",
    "где мои документы",
)
INSTEAD = {
    "ljujdjh": ("ljujdjh", "договор", "найм жилья.txt"),
    "gjrfpb ljujdjh yfqvf": ("ljujdjh yfqvf", "договор найма", "найм жилья.txt"),
    "дуфыу": ("дуфыу", "lease", "lease.txt"),
    "покажи догвор": ("догвор", "договор", "найм жилья.txt"),
    "шарлотка рецпт": ("рецпт", "рецепт", "рецепт.txt"),
    "«убрана ёлка»": ("«убрана ёлка»", "убрана ёлка", "найм жилья.txt"),
}
AS_WRITTEN = (
    "договор",
    "«обеспечительный платёж»",
    '"security bond"',
    "какой депозит за квартиру",
    "lease",
    "",
)
BOTH = ("45000", "45 000", "45,000.00", "45.000,00", "45000,00")


async def files(passages: Passages, query: str) -> list[str]:
    return list(dict.fromkeys(hit.title for hit in await passages.find_words(query, 20)))


@pytest.mark.skipif(not HOME.is_dir(), reason="the small home is not here")
async def test_a_question_finds_its_file_among_decoys(passages: Passages) -> None:
    """Each spelling of a number, a name or a code leads to its file; question words alone lead nowhere.

    What is searched in place of words that nothing has is said.
    """
    for path in sorted(HOME.iterdir()):
        await passages.store(entry(f"/d/{path.name}"), of(path.read_text("utf-8")))
    answers = {query: await files(passages, query) for query in (*FIRST, *NOTHING, *BOTH, *INSTEAD)}
    wrong = {query: answers[query] for query, file in FIRST.items() if answers[query][:1] != [file]}
    assert wrong == {}
    assert {query: answers[query] for query in NOTHING if answers[query]} == {}
    assert {tuple(sorted(answers[query])) for query in BOTH} == {("найм жилья.txt", "смета.txt")}
    for query, (written, shown, file) in INSTEAD.items():
        assert (await passages.read_words(query)).instead == Instead(written=written, shown=shown), query
        assert answers[query][:1] == [file], query
    assert [query for query in AS_WRITTEN if (await passages.read_words(query)).instead] == []
    assert await files(passages, "«обеспечительный платёж»") == ["найм жилья.txt"]
    assert await files(passages, "«за город»") == ["поездка.txt"]
