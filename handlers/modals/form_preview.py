"""From a form to its preview: reads the file, checks permission, and saves the draft."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain import roster
from bot.domain.groups import GroupRef
from bot.domain.requests import RequestDraft
from bot.domain.sync import Drift, SyncMode, SyncSource
from bot.services.sync import SourceUnreadable, SyncRequest
from handlers.errors import UserError
from handlers.modals.open import new_external_id
from handlers.modals.parse import ParsedForm, Submission, parse_form
from handlers.modals.uploads import AmbiguousColumn, FileUnreadable, UploadedPeople, UploadReader, merged, too_many
from handlers.payloads import Payload, UploadedFile
from handlers.services import Services
from handlers.views import answers, interim_modals, preview, submitted_view
from handlers.views.answers import Unread
from handlers.views.preview import PreviewData, SyncTerms
from handlers.views.text import count, safe_text, without_markup
from providers.base import ProviderError

FIRST_PREVIEW_TIMEOUT = 1.5
"""Seconds that a preview waits for the provider before it is shown."""
FULL_PREVIEW_TIMEOUT = 20.0
"""Seconds that it waits after it was shown."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A modal that follows a form.

    Attributes:
        view: the modal.
        external_id: the id by which it is updated.
        more: builds the modal that replaces it when the provider has answered; None: it is complete.
    """

    view: View
    external_id: str
    more: Callable[[], Awaitable[View]] | None = None


class ColumnMetadata(Payload):
    """The metadata of the modal that asks for a column: the saved draft, the file, and the terms of a sync."""

    draft: str
    file: UploadedFile
    sync: SyncTerms | None = None


class FormPreviews:
    """Builds previews of forms."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._uploads = UploadReader()

    async def of_form(self, client: AsyncWebClient, verb: str, submission: Submission) -> Screen:
        """Return what follows a form: its preview, or the modal that asks for a column. Raises `UserError`."""
        form = await parse_form(self._services, client, verb, submission)
        people = UploadedPeople(form.draft.roster)
        if form.file:
            read = await self._read(client, form.draft, form.file, submitted_view.FILE_BLOCK)
            if isinstance(read, AmbiguousColumn):
                return await self._ask_for_column(form, form.file, read)
            people = replace(read, roster=merged(form.draft.roster, read.roster))
        if form.people and not people.roster.people:
            block = submitted_view.FILE_BLOCK if form.file else submitted_view.NUMBERS_BLOCK
            raise UserError(answers.no_usable_numbers(people.roster), field=block)
        return await self._of_people(form.draft, people, form.block, form.sync)

    async def of_column(self, client: AsyncWebClient, submission: Submission) -> Screen:
        """Return the preview that follows the choice of a column. Raises `UserError`."""
        form = interim_modals.parse_column(submission.view)
        metadata = ColumnMetadata.model_validate(form.carried)
        block = interim_modals.COLUMN_BLOCK
        draft = await self.saved_draft(metadata.draft, submission)
        if draft is None:
            raise UserError(
                "This form has expired, or its connection was removed. Go back and press Preview again.",
                field=block,
            )
        read = await self._read(client, draft, metadata.file, block, submission)
        if isinstance(read, AmbiguousColumn):
            raise UserError("The file doesn't have this column. Go back and press Preview again.", field=block)
        people = replace(read, roster=merged(draft.roster, read.roster))
        if not people.roster.people:
            raise UserError(answers.no_usable_numbers(people.roster), field=block)
        return await self._of_people(replace(draft, requester=submission.actor), people, block, metadata.sync)

    async def saved_draft(self, key: str, submission: Submission) -> RequestDraft | None:
        """Return a saved draft; None if it is another person's, or it or its connection is gone."""
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
        column = interim_modals.parse_column(chosen.view).place if chosen else None
        try:
            return await self._uploads.read(
                client, file, self._services.directory.catalog.get(draft.group.ref).region, column
            )
        except FileUnreadable as error:
            raise UserError(without_markup(str(error)), field=block) from error

    async def _ask_for_column(self, form: ParsedForm, file: UploadedFile, read: AmbiguousColumn) -> Screen:
        external_id = new_external_id()
        key = await self._services.stores.drafts.save(form.draft)
        metadata = ColumnMetadata(draft=key, file=file, sync=form.sync).model_dump(mode="json")
        return Screen(interim_modals.column_form(read.choices, read.name, metadata, external_id), external_id)

    async def _of_people(
        self, draft: RequestDraft, people: UploadedPeople, block: str, terms: SyncTerms | None
    ) -> Screen:
        if problem := too_many(people.roster):
            raise UserError(problem, field=submitted_view.FILE_BLOCK if block != interim_modals.COLUMN_BLOCK else block)
        draft = replace(draft, roster=people.roster)
        data = PreviewData(
            key="",
            draft=draft,
            preview=None,
            warning=self._services.directory.catalog.get(draft.group.ref).warning,
            source=people.source,
            without=people.without,
            sync=terms,
        )
        return await (self._of_sync(data, terms, block) if terms else self._of_request(data, block))

    async def _of_request(self, data: PreviewData, block: str) -> Screen:
        draft = data.draft
        if refused := await self._services.submissions.check_and_record(draft):
            raise UserError(without_markup(refused.reason), field=block)
        key, first = await asyncio.gather(
            self._services.stores.drafts.save(draft),
            self._services.previews.build(draft, max_wait=FIRST_PREVIEW_TIMEOUT),
        )
        reading = not first.group_was_read and bool(draft.group.id)
        data, external_id = replace(data, key=key, preview=first, reading=reading), new_external_id()

        async def more() -> View:
            full = await self._services.previews.build(draft, max_wait=FULL_PREVIEW_TIMEOUT)
            return preview.build(replace(data, preview=full, reading=False), external_id)

        return Screen(preview.build(data, external_id), external_id, more if reading else None)

    async def _of_sync(self, data: PreviewData, terms: SyncTerms, block: str) -> Screen:
        draft = data.draft
        if problem := _sync_problem(draft, terms):
            raise UserError(problem, field=submitted_view.FILE_BLOCK if block == submitted_view.GROUP_BLOCK else block)
        request = sync_request_of(self._services, draft, terms)
        if refused := await self._services.syncs.check_and_record(request):
            raise UserError(without_markup(refused.reason), field=block)
        key = await self._services.stores.drafts.save(draft)
        rule, external_id = self._services.submissions.approval_rule(draft), new_external_id()
        data = replace(data, key=key, rule=rule, list_=safe_text(request.source.name, 200))
        drift = await self._drift(request, FIRST_PREVIEW_TIMEOUT)
        first_data = replace(data, drift=drift, reading=drift is None)

        async def more() -> View:
            full = await self._drift(request, FULL_PREVIEW_TIMEOUT)
            late = Unread("their members couldn't be read in time")
            return preview.build(replace(data, drift=late if full is None else full), external_id)

        return Screen(preview.build(first_data, external_id), external_id, more if drift is None else None)

    async def _drift(self, request: SyncRequest, max_wait: float) -> Drift | Unread | None:
        """Compare a group with its list. Return why if that can't be done, and None if it takes longer."""
        try:
            async with asyncio.timeout(max_wait):
                return await self._services.syncs.drift(request)
        except TimeoutError:
            return None
        except SourceUnreadable as error:
            return Unread(str(error))
        except ProviderError as error:
            return Unread(answers.provider_answer(error))


def sync_request_of(services: Services, draft: RequestDraft, terms: SyncTerms) -> SyncRequest:
    """Return the sync of a draft and its terms."""
    phones = tuple(roster.written(person) for person in draft.roster.people if person.phone)
    if terms.usergroup:
        source = SyncSource.of_usergroup(terms.usergroup, terms.usergroup_name)
    elif terms.other:
        source = SyncSource.of_group(services.directory.get(GroupRef(*terms.other)))
    else:
        source = SyncSource.of_phones(phones)
    return SyncRequest(draft.id, draft.group, source, terms.mode, draft.requester, draft.channel, draft.reason)


def _sync_problem(draft: RequestDraft, terms: SyncTerms) -> str:
    """Return why a list can't be used for a sync; empty if it can."""
    rejected = draft.roster.rejected
    without_phone = [person for person in draft.roster.people if not person.phone]
    if without_phone:
        problem = count(len(without_phone), "entry isn't a phone number", "entries aren't phone numbers")
        return f"{problem}. A sync needs phone numbers."
    if rejected and terms.mode is SyncMode.MIRROR:
        unread = f"{count(len(rejected), 'entry', 'entries')} couldn't be read"
        first = f"{rejected[0].location}: {rejected[0].reason}"
        return f"{unread} ({first}) A sync that removes people needs the whole list."
    return ""
