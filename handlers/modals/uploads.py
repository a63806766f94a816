"""The people in uploaded files, and how they are merged with those that were typed."""

import asyncio
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.roster import Duplicate, Roster
from bot.domain.uploads import ColumnChoices, ColumnRef
from bot.services.uploads.contents import Unreadable
from bot.services.uploads.people import people_in, people_in_column
from handlers.clients.files import FileUnavailable, fetch_file
from handlers.payloads import UploadedFile
from providers.base import Person
from providers.identity import same_person_keys

MAX_PEOPLE = 10_000
"""Maximum entries of one request: at the usual pace they take hours."""
MAX_CONCURRENT = 2
"""Maximum files that are read at the same time: a large one uses a processor for seconds."""


class FileUnreadable(Exception):
    """A file can't be read. The text is a sentence for the person."""


@dataclass(frozen=True, slots=True)
class UploadedPeople:
    """The people of a form.

    Attributes:
        roster: the people.
        source: where in the file they were found; empty: there was no file.
        without: the numbers of its lines without a phone number.
    """

    roster: Roster
    source: str = ""
    without: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AmbiguousColumn:
    """A file has several columns that may hold the numbers."""

    choices: ColumnChoices
    name: str


class UploadReader:
    """Reads uploaded files, `MAX_CONCURRENT` at a time."""

    def __init__(self) -> None:
        self._gate = asyncio.Semaphore(MAX_CONCURRENT)

    async def read(
        self, client: AsyncWebClient, file: UploadedFile, region: str | None, column: ColumnRef | None = None
    ) -> UploadedPeople | AmbiguousColumn:
        """Fetch a file, and read the people in it, or in the chosen column. Raises `FileUnreadable`."""
        async with self._gate:
            try:
                name, content = await fetch_file(client, file)
            except FileUnavailable as error:
                raise FileUnreadable(str(error)) from error
            if column is None:
                found = await asyncio.to_thread(people_in, name, content, default_region=region)
            else:
                found = await asyncio.to_thread(people_in_column, name, content, column, default_region=region)
        if isinstance(found, Unreadable):
            raise FileUnreadable(found.reason)
        if isinstance(found, ColumnChoices):
            return AmbiguousColumn(found, name)
        return UploadedPeople(found.roster, found.source, found.without)


def too_many(roster: Roster) -> str:
    """Return the error of a roster that is too large for one request; empty if it isn't."""
    entries = len(roster.people) + len(roster.rejected)
    if entries <= MAX_PEOPLE:
        return ""
    return f"There are {entries:,} entries. One request takes at most {MAX_PEOPLE:,}. Upload the list in parts."


def merged(first: Roster, second: Roster) -> Roster:
    """Merge two rosters. A person in both counts once."""
    known: dict[str, Person] = {}
    for person in first.people:
        known.update(dict.fromkeys(_keys(person), person))
    new: list[Person] = []
    duplicates: list[Duplicate] = []
    for person in second.people:
        same = next((known[key] for key in _keys(person) if key in known), None)
        if same is None:
            new.append(person)
        else:
            duplicates.append(Duplicate(person.raw, same))
    return Roster(
        (*first.people, *new),
        (*first.rejected, *second.rejected),
        (*first.duplicates, *duplicates, *second.duplicates),
    )


def _keys(person: Person) -> frozenset[str]:
    return same_person_keys(person.digits) if person.phone else frozenset({person.lid})
