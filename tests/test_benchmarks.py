import pytest

from benchmarks import address_book


async def test_an_address_book_of_any_size_is_searched_and_listed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address_book, "SIZES", (100, 250))
    table = await address_book.measure()
    assert [row.split("|")[-2].strip() for row in table[2:4]] == ["100", "250"]
