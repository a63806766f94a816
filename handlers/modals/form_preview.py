"""From what a form asks for to its preview: the file is read, access is checked, the draft is kept."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.drafts import RequestDraft
from bot.domain.groups import GroupRef
from bot.domain.sync import Drift, SyncMode, SyncSource
from bot.services.sync import SyncRequest
from bot.services.sync_sources import SourceUnreadable
from handlers.delivery.modals import new_external_id
from handlers.errors import UserError
from handlers.modals.parse import ParsedForm, Submission, parse_form
from handlers.modals.uploads import AmbiguousColumn, FileUnreadable, UploadedPeople, UploadReader, merged, too_many
from handlers.payloads import Payload
from handlers.services import Services
from handlers.sync import source_name
from handlers.views import answers, interim_modals, preview, submitted_view
from handlers.views.preview import PreviewData, SyncTerms
from handlers.views.submitted_view import UploadedFile
from handlers.views.text import count, safe_text, without_markup
from providers.base import ProviderError

FIRST_PREVIEW_TIMEOUT = 1.5
"""Seconds that a preview waits for the provider at first."""
FULL_PREVIEW_TIMEOUT = 20.0
"""Seconds that it waits for, when the preview is shown already."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What is shown, and what makes that which takes its place when more is known; None: it is all."""

    view: View
    external_id: str
    more: Callable[[], Awaitable[View]] | None = None


class ColumnMetadata(Payload):
    """What the form that asks for a column brings back: the draft so far, the file, and the terms of a sync."""

    draft: str
    file: UploadedFile
    sync: SyncTerms | None = None


class FormPreviews:
    """Makes previews of forms.

    Args:
        services: what it works with.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._uploads = UploadReader()

    async def of_form(self, client: AsyncWebClient, verb: str, submission: Submission) -> Screen:
        """Give what follows a form: its preview, or the question for a column. Raises `Mistake`."""
        asked = await parse_form(self._services, client, verb, submission)
        people = UploadedPeople(asked.draft.roster)
        if asked.file:
            read = await self._read(client, asked.draft, asked.file, submitted_view.FILE_BLOCK)
            if isinstance(read, AmbiguousColumn):
                return await self._ask_for_column(asked, asked.file, read)
            people = replace(read, roster=merged(asked.draft.roster, read.roster))
        if asked.people and not people.roster.people:
            block = submitted_view.FILE_BLOCK if asked.file else submitted_view.NUMBERS_BLOCK
            raise UserError(answers.no_usable_numbers(people.roster), field=block)
        return await self._of_people(asked.draft, people, asked.block, asked.sync)

    async def of_column(self, client: AsyncWebClient, submission: Submission) -> Screen:
        """Give the preview that follows the choice of a column. Raises `Mistake`."""
        form = interim_modals.parse_column(submission.view)
        carried = ColumnMetadata.model_validate(form.carried)
        block = interim_modals.COLUMN_BLOCK
        draft = await self.saved_draft(carried.draft, submission)
        if draft is None:
            raise UserError(
                "This form is too old, or its connection is gone. Go back, and press Preview again.", field=block
            )
        read = await self._read(client, draft, carried.file, block, submission)
        if isinstance(read, AmbiguousColumn):
            raise UserError("The file has no such column. Go back, and press Preview again.", field=block)
        people = replace(read, roster=merged(draft.roster, read.roster))
        if not people.roster.people:
            raise UserError(answers.no_usable_numbers(people.roster), field=block)
        return await self._of_people(replace(draft, requester=submission.actor), people, block, carried.sync)

    async def saved_draft(self, key: str, submission: Submission) -> RequestDraft | None:
        """Give a kept draft to who made it; None to anybody else, and where it or its connection is gone."""
        draft = await self._services.stores.drafts.find(key)
        if draft is None or draft.group.connection not in self._services.connections:
            return None
        return draft if draft.requester.user_id == submission.actor.user_id else None

    async def _read(
        self,
        client: AsyncWebClient,
        draft: RequestDraft,
        file: UploadedFile,
        block: str,
        chosen: Submission | None = None,
    ) -> UploadedPeople | AmbiguousColumn:
        place = interim_modals.parse_column(chosen.view).place if chosen else None
        try:
            return await self._uploads.read(
                client, file, self._services.directory.catalog.get(draft.group.ref).region, place
            )
        except FileUnreadable as error:
            raise UserError(without_markup(str(error)), field=block) from error

    async def _ask_for_column(self, asked: ParsedForm, file: UploadedFile, read: AmbiguousColumn) -> Screen:
        external_id = new_external_id()
        key = await self._services.stores.drafts.save(asked.draft)
        carried = ColumnMetadata(draft=key, file=file, sync=asked.sync).model_dump(mode="json")
        return Screen(interim_modals.column_form(read.choices, read.name, carried, external_id), external_id)

    async def _of_people(
        self, draft: RequestDraft, people: UploadedPeople, block: str, terms: SyncTerms | None
    ) -> Screen:
        if words := too_many(people.roster):
            raise UserError(words, field=submitted_view.FILE_BLOCK if block != interim_modals.COLUMN_BLOCK else block)
        draft = replace(draft, roster=people.roster)
        facts = PreviewData(
            key="",
            draft=draft,
            preview=None,
            warning=self._services.directory.catalog.get(draft.group.ref).warning,
            source=people.source,
            without=people.without,
            sync=terms,
        )
        return await (self._of_sync(facts, terms, block) if terms else self._of_request(facts, block))

    async def _of_request(self, facts: PreviewData, block: str) -> Screen:
        draft = facts.draft
        if refused := await self._services.submissions.check_and_record(draft):
            raise UserError(without_markup(refused.reason), field=block)
        key, first = await asyncio.gather(
            self._services.stores.drafts.save(draft),
            self._services.previews.build(draft, max_wait=FIRST_PREVIEW_TIMEOUT),
        )
        waits = not first.group_was_read and bool(draft.group.id)
        facts, external_id = replace(facts, key=key, preview=first, reading=waits), new_external_id()

        async def more() -> View:
            patient = await self._services.previews.build(draft, max_wait=FULL_PREVIEW_TIMEOUT)
            return preview.build(replace(facts, preview=patient, reading=False), external_id)

        return Screen(preview.build(facts, external_id), external_id, more if waits else None)

    async def _of_sync(self, facts: PreviewData, terms: SyncTerms, block: str) -> Screen:
        draft = facts.draft
        if words := _unfit(draft, terms):
            raise UserError(words, field=submitted_view.FILE_BLOCK if block == submitted_view.GROUP_BLOCK else block)
        wish = sync_request_of(self._services, draft, terms)
        if refused := await self._services.syncs.check_and_record(wish):
            raise UserError(without_markup(refused.reason), field=block)
        key = await self._services.stores.drafts.save(draft)
        rule, external_id = self._services.submissions.approval_rule(draft), new_external_id()
        facts = replace(facts, key=key, rule=rule, list_=safe_text(wish.source.name, 200))
        drift = await self._drift(wish, FIRST_PREVIEW_TIMEOUT)
        first_facts = replace(facts, drift=drift, reading=drift is None)

        async def more() -> View:
            later = await self._drift(wish, FULL_PREVIEW_TIMEOUT)
            said = "their members could not be read in time" if later is None else later
            return preview.build(replace(facts, drift=said), external_id)

        return Screen(preview.build(first_facts, external_id), external_id, more if drift is None else None)

    async def _drift(self, wish: SyncRequest, within: float) -> Drift | str | None:
        """Compare a group with a list; in words why that cannot be done, None where it takes longer."""
        try:
            async with asyncio.timeout(within):
                return await self._services.syncs.drift(wish)
        except TimeoutError:
            return None
        except SourceUnreadable as error:
            return str(error)
        except ProviderError as error:
            return answers.provider_answer(error)


def sync_request_of(services: Services, draft: RequestDraft, terms: SyncTerms) -> SyncRequest:
    """Give the sync that a draft and its terms ask for."""
    phones = tuple(person.phone for person in draft.roster.people if person.phone)
    other = GroupRef(*terms.other) if terms.other else None
    name = source_name(services, len(phones), terms.usergroup_name or terms.usergroup, other)
    source = SyncSource(phones=phones, usergroup=terms.usergroup, group=other, name=name)
    return SyncRequest(draft.id, draft.group, source, terms.mode, draft.requester, draft.channel, draft.reason)


def _unfit(draft: RequestDraft, terms: SyncTerms) -> str:
    """Say why a list cannot be synced with; empty where it can."""
    rejected, nameless = draft.roster.rejected, [person for person in draft.roster.people if not person.phone]
    if nameless:
        return f"{count(len(nameless), 'entry is', 'entries are')} no phone number, and a sync goes by those."
    if rejected and terms.mode is SyncMode.MIRROR:
        words = f"{count(len(rejected), 'entry is', 'entries are')} no number ({rejected[0].location}:"
        return f"{words} {rejected[0].reason}) A sync that removes people must know everybody on the list."
    return ""
