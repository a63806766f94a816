"""The people of a form: those that were typed, and those of an uploaded file."""

import asyncio
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.roster import Duplicate, Roster
from bot.domain.uploads import ColumnChoices, ColumnRef
from bot.services.uploads.contents import Unreadable
from bot.services.uploads.people import people_in, people_in_column
from handlers.clients.files import FileUnavailable, fetch_file
from handlers.views.submitted_view import UploadedFile
from providers.base import Person
from providers.identity import same_person_keys

MAX_PEOPLE = 10_000
"""In one request: at the usual pace they take hours."""
MAX_CONCURRENT = 2
"""Files that are read at the same time: a large one takes a processor for seconds."""


class FileUnreadable(Exception):
    """A file gives no people; the text is a sentence for people."""


@dataclass(frozen=True, slots=True)
class UploadedPeople:
    """Who is meant, where in the file they stood, and which of its lines have no number."""

    roster: Roster
    source: str = ""
    without: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AmbiguousColumn:
    """Nobody can tell in which column of a file the numbers are."""

    choices: ColumnChoices
    name: str


class UploadReader:
    """Reads uploaded files, a few at once."""

    def __init__(self) -> None:
        self._gate = asyncio.Semaphore(MAX_CONCURRENT)

    async def read(
        self, client: AsyncWebClient, file: UploadedFile, region: str | None, place: ColumnRef | None = None
    ) -> UploadedPeople | AmbiguousColumn:
        """Fetch a file and read its people, those of the column `place` where one was chosen. Raises `CannotRead`."""
        async with self._gate:
            try:
                name, content = await fetch_file(client, file)
            except FileUnavailable as error:
                raise FileUnreadable(str(error)) from error
            if place is None:
                found = await asyncio.to_thread(people_in, name, content, default_region=region)
            else:
                found = await asyncio.to_thread(people_in_column, name, content, place, default_region=region)
        if isinstance(found, Unreadable):
            raise FileUnreadable(found.reason)
        if isinstance(found, ColumnChoices):
            return AmbiguousColumn(found, name)
        return UploadedPeople(found.roster, found.source, found.without)


def too_many(roster: Roster) -> str:
    """Say that a roster is larger than one request may be; empty where it is not."""
    lines = len(roster.people) + len(roster.rejected)
    if lines <= MAX_PEOPLE:
        return ""
    return f"These are {lines:,} entries; one request takes {MAX_PEOPLE:,} at most. Upload the list in parts."


def merged(first: Roster, second: Roster) -> Roster:
    """Put two rosters together; who is in both counts once."""
    known: dict[str, Person] = {}
    for person in first.people:
        known.update(dict.fromkeys(_keys(person), person))
    new: list[Person] = []
    again: list[Duplicate] = []
    for person in second.people:
        same = next((known[key] for key in _keys(person) if key in known), None)
        if same is None:
            new.append(person)
        else:
            again.append(Duplicate(person.raw, same))
    return Roster(
        (*first.people, *new),
        (*first.rejected, *second.rejected),
        (*first.duplicates, *again, *second.duplicates),
    )


def _keys(person: Person) -> frozenset[str]:
    return same_person_keys(person.digits) if person.phone else frozenset({person.lid})
