import pytest

from bot.storage.database import Database
from bot.storage.postings import Posting, Postings
from bot.storage.requests import RequestStore
from tests.bot.storage.samples import request


@pytest.fixture
async def postings(database: Database) -> Postings:
    for id_ in ("R1", "R2"):
        await RequestStore(database).create(request(id_), [])
    return Postings(database)


async def test_a_message_is_unknown_then_reserved_then_posted(postings: Postings) -> None:
    assert await postings.get("R1", "parent") is None
    await postings.reserve("R1", "parent", "C0TEAM")
    assert await postings.get("R1", "parent") == Posting("C0TEAM", "")
    await postings.save("R1", "parent", Posting("D0ASKED", "1700000000.000100"))
    assert await postings.get("R1", "parent") == Posting("D0ASKED", "1700000000.000100")


async def test_messages_are_separate_by_request_and_name(postings: Postings) -> None:
    for id_, name in (("R1", "parent"), ("R1", "summary"), ("R2", "parent")):
        await postings.reserve(id_, name, "C0TEAM")
    await postings.save("R1", "parent", Posting("C0TEAM", "1.1"))
    assert await postings.get("R1", "summary") == Posting("C0TEAM", "")
    assert await postings.get("R2", "parent") == Posting("C0TEAM", "")


async def test_a_message_is_reserved_once(postings: Postings) -> None:
    assert await postings.reserve("R1", "parent", "C0TEAM") is None
    assert await postings.reserve("R1", "parent", "C0OTHER") == Posting("C0TEAM", "")
    await postings.save("R1", "parent", Posting("C0TEAM", "1.1"))
    assert await postings.reserve("R1", "parent", "C0OTHER") == Posting("C0TEAM", "1.1")


async def test_a_message_that_another_replica_posted_is_found(postings: Postings) -> None:
    other = Postings(postings.database)
    assert await other.get("R1", "parent") is None
    await postings.reserve("R1", "parent", "C0TEAM")
    assert await other.get("R1", "parent") == Posting("C0TEAM", "")
    await postings.save("R1", "parent", Posting("C0TEAM", "1.1"))
    assert await other.get("R1", "parent") == Posting("C0TEAM", "1.1")
