"""From what a form asks for to its preview: the file is read, access is checked, the draft is kept."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.sync import Drift, Source, SyncMode
from bot.intake import Draft
from bot.lists import SourceUnreadable
from bot.syncs import Wish
from handlers.modals.drafting import Submission, Wanted, wanted
from handlers.modals.ids import new_external_id
from handlers.modals.mistakes import Mistake
from handlers.modals.people import CannotRead, Columns, People, Uploads, merged, too_many
from handlers.payloads import Payload
from handlers.services import Services
from handlers.sync import list_name
from handlers.views import answers, column_modal, filled, preview
from handlers.views.filled import UploadedFile
from handlers.views.preview import Facts, SyncTerms
from handlers.views.text import count, foreign, unformatted
from providers.base import ProviderError

QUICK = 1.5
"""Seconds that a preview waits for the provider at first."""
PATIENT = 20.0
"""Seconds that it waits for, when the preview is shown already."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What is shown, and what makes that which takes its place when more is known; None: it is all."""

    view: View
    external_id: str
    more: Callable[[], Awaitable[View]] | None = None


class Carried(Payload):
    """What the form that asks for a column brings back: the draft so far, the file, and the terms of a sync."""

    draft: str
    file: UploadedFile
    sync: SyncTerms | None = None


class Previewing:
    """Makes previews of forms.

    Args:
        services: what it works with.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._uploads = Uploads()

    async def of_form(self, client: AsyncWebClient, verb: str, submission: Submission) -> Screen:
        """Give what follows a form: its preview, or the question for a column. Raises `Mistake`."""
        asked = await wanted(self._services, client, verb, submission)
        people = People(asked.draft.roster)
        if asked.file:
            read = await self._read(client, asked.draft, asked.file, filled.FILE_BLOCK)
            if isinstance(read, Columns):
                return await self._ask_for_column(asked, asked.file, read)
            people = replace(read, roster=merged(asked.draft.roster, read.roster))
        if asked.people and not people.roster.people:
            block = filled.FILE_BLOCK if asked.file else filled.NUMBERS_BLOCK
            raise Mistake(block, answers.nobody(people.roster))
        return await self._of_people(asked.draft, people, asked.block, asked.sync)

    async def of_column(self, client: AsyncWebClient, submission: Submission) -> Screen:
        """Give the preview that follows the choice of a column. Raises `Mistake`."""
        form = column_modal.parse(submission.view)
        carried = Carried.model_validate(form.carried)
        block = column_modal.COLUMN_BLOCK
        draft = await self.kept(carried.draft, submission)
        if draft is None:
            raise Mistake(block, "This form is too old, or its connection is gone. Go back, and press Preview again.")
        read = await self._read(client, draft, carried.file, block, submission)
        if isinstance(read, Columns):
            raise Mistake(block, "The file has no such column. Go back, and press Preview again.")
        people = replace(read, roster=merged(draft.roster, read.roster))
        if not people.roster.people:
            raise Mistake(block, answers.nobody(people.roster))
        return await self._of_people(replace(draft, requester=submission.actor), people, block, carried.sync)

    async def kept(self, key: str, submission: Submission) -> Draft | None:
        """Give a kept draft to who made it; None to anybody else, and where it or its connection is gone."""
        draft = await self._services.drafts.find(key)
        if draft is None or draft.group.connection not in self._services.lines:
            return None
        return draft if draft.requester.user_id == submission.actor.user_id else None

    async def _read(
        self,
        client: AsyncWebClient,
        draft: Draft,
        file: UploadedFile,
        block: str,
        chosen: Submission | None = None,
    ) -> People | Columns:
        place = column_modal.parse(chosen.view).place if chosen else None
        try:
            return await self._uploads.read(client, file, self._services.regions[draft.group.connection], place)
        except CannotRead as error:
            raise Mistake(block, unformatted(str(error))) from error

    async def _ask_for_column(self, asked: Wanted, file: UploadedFile, read: Columns) -> Screen:
        external_id = new_external_id()
        key = await self._services.drafts.keep(asked.draft)
        carried = Carried(draft=key, file=file, sync=asked.sync).model_dump(mode="json")
        return Screen(column_modal.build(read.choices, read.name, carried, external_id), external_id)

    async def _of_people(self, draft: Draft, people: People, block: str, terms: SyncTerms | None) -> Screen:
        if words := too_many(people.roster):
            raise Mistake(filled.FILE_BLOCK if block != column_modal.COLUMN_BLOCK else block, words)
        draft = replace(draft, roster=people.roster)
        facts = Facts(
            key="",
            draft=draft,
            preview=None,
            warning=self._services.warnings.get((draft.group.connection, draft.group.id), ""),
            source=people.source,
            without=people.without,
            sync=terms,
        )
        return await (self._of_sync(facts, terms, block) if terms else self._of_request(facts, block))

    async def _of_request(self, facts: Facts, block: str) -> Screen:
        draft = facts.draft
        if refused := await self._services.intake.refused(draft):
            raise Mistake(block, unformatted(refused.reason))
        key, first = await asyncio.gather(
            self._services.drafts.keep(draft), self._services.previews.of(draft, within=QUICK)
        )
        waits = not first.read and bool(draft.group.id)
        facts, external_id = replace(facts, key=key, preview=first, reading=waits), new_external_id()

        async def more() -> View:
            patient = await self._services.previews.of(draft, within=PATIENT)
            return preview.build(replace(facts, preview=patient, reading=False), external_id)

        return Screen(preview.build(facts, external_id), external_id, more if waits else None)

    async def _of_sync(self, facts: Facts, terms: SyncTerms, block: str) -> Screen:
        draft = facts.draft
        if words := _unfit(draft, terms):
            raise Mistake(filled.FILE_BLOCK if block == filled.GROUP_BLOCK else block, words)
        wish = wish_of(self._services, draft, terms)
        if refused := await self._services.syncs.refused(wish):
            raise Mistake(block, unformatted(refused.reason))
        key = await self._services.drafts.keep(draft)
        rule, external_id = self._services.intake.rule(draft), new_external_id()
        facts = replace(facts, key=key, rule=rule, list_=foreign(wish.source.name, 200))
        drift = await self._drift(wish, QUICK)
        first_facts = replace(facts, drift=drift, reading=drift is None)

        async def more() -> View:
            later = await self._drift(wish, PATIENT)
            said = "their members could not be read in time" if later is None else later
            return preview.build(replace(facts, drift=said), external_id)

        return Screen(preview.build(first_facts, external_id), external_id, more if drift is None else None)

    async def _drift(self, wish: Wish, within: float) -> Drift | str | None:
        """Compare a group with a list; in words why that cannot be done, None where it takes longer."""
        try:
            async with asyncio.timeout(within):
                return await self._services.syncs.drift(wish)
        except TimeoutError:
            return None
        except SourceUnreadable as error:
            return str(error)
        except ProviderError as error:
            return answers.words(error)


def wish_of(services: Services, draft: Draft, terms: SyncTerms) -> Wish:
    """Give the sync that a draft and its terms ask for."""
    phones = tuple(person.phone for person in draft.roster.people if person.phone)
    name = list_name(services, len(phones), terms.usergroup_name or terms.usergroup, terms.other)
    source = Source(phones=phones, usergroup=terms.usergroup, group=terms.other, name=name)
    return Wish(draft.id, draft.group, source, terms.mode, draft.requester, draft.channel, draft.reason)


def _unfit(draft: Draft, terms: SyncTerms) -> str:
    """Say why a list cannot be synced with; empty where it can."""
    rejected, nameless = draft.roster.rejected, [person for person in draft.roster.people if not person.phone]
    if nameless:
        return f"{count(len(nameless), 'entry is', 'entries are')} no phone number, and a sync goes by those."
    if rejected and terms.mode is SyncMode.MIRROR:
        words = f"{count(len(rejected), 'entry is', 'entries are')} no number ({rejected[0].where}:"
        return f"{words} {rejected[0].reason}) A sync that removes people must know everybody on the list."
    return ""
