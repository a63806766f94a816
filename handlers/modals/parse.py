"""Parses submitted forms into drafts, before their files are read."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.commands.times import InvalidTime, parse_start
from bot.domain import roster
from bot.domain.access import Actor, Denied
from bot.domain.groups import KnownGroup
from bot.domain.requests import RequestDraft, RequestOptions
from bot.domain.roster import Roster
from bot.domain.sync import SyncMode
from bot.services.authorization import INVITE_ACTIONS
from handlers.clients.files import FileUnavailable, fetch_file
from handlers.errors import UserError
from handlers.payloads import UploadedFile
from handlers.services import Services
from handlers.views import inputs, request_forms, settings_modal, submitted_view
from handlers.views.preview import SyncTerms
from handlers.views.submitted_view import CommonFields
from providers.base import Action, GroupChange, Operation, Picture

GROUP_LIST_TIMEOUT = 1.5
"""Seconds that an unknown group waits for the connections' lists of groups."""
MAX_PICTURE_BYTES = 5_000_000
"""Maximum bytes of an uploaded picture."""
_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class Submission:
    """A form that was submitted.

    Attributes:
        id: the id of its request, the same for every submission of the form.
        actor: the person who submitted it.
        view: the view as Slack sent it.
    """

    id: str
    actor: Actor
    view: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ParsedForm:
    """The content of a form.

    Attributes:
        draft: the draft, with the people that were typed.
        file: the uploaded file with more people; None: none.
        people: whether the form needs at least one person.
        block: the block at which an error about the whole form is shown.
        sync: the terms of a sync; None for other forms.
    """

    draft: RequestDraft
    file: UploadedFile | None = None
    people: bool = True
    block: str = submitted_view.GROUP_BLOCK
    sync: SyncTerms | None = None


@dataclass(frozen=True, slots=True)
class _RequestTarget:
    """An operation, its group and its options."""

    operation: Operation
    group: KnownGroup
    options: RequestOptions


async def parse_form(services: Services, client: AsyncWebClient, verb: str, submission: Submission) -> ParsedForm:
    """Parse the form of a verb. Raises `UserError`."""
    return await _PARSERS[verb](services, client, submission)


async def chosen_group(services: Services, value: str, block: str = submitted_view.GROUP_BLOCK) -> KnownGroup:
    """Return the chosen group. After a restart the lists of groups may have to be read first. Raises `UserError`."""
    group = inputs.group_of(value, services.directory.known())
    if group is None and value:
        await services.directory.refresh(max_wait=GROUP_LIST_TIMEOUT)
        group = inputs.group_of(value, services.directory.known())
    if group is None:
        raise UserError("This group no longer exists. Choose another one." if value else "Choose a group.", field=block)
    return group


async def _people(services: Services, _: AsyncWebClient, submission: Submission) -> ParsedForm:
    form = request_forms.parse_people(submission.view)
    group = await chosen_group(services, form.common.group)
    if form.invite:
        _check_inviting(services, submission.actor, group)
    options = RequestOptions(run_at=await _run_at(services, submission, form.common), invite_refused=form.invite)
    operation = Operation(submission.view["callback_id"])
    return ParsedForm(
        _draft(services, submission, form.common, _RequestTarget(operation, group, options)), form.common.file
    )


async def _create(services: Services, _: AsyncWebClient, submission: Submission) -> ParsedForm:
    form = request_forms.parse_create(submission.view)
    if form.connection not in services.connections:
        raise UserError(
            "This connection no longer exists. Choose another one.",
            field=request_forms.CONNECTION_BLOCK,
        )
    if not form.subject:
        raise UserError("A group needs a name.", field=request_forms.SUBJECT_BLOCK)
    group = KnownGroup(form.connection, "", "", form.subject)
    if form.invite:
        _check_inviting(services, submission.actor, group)
    options = RequestOptions(
        run_at=await _run_at(services, submission, form.common), invite_refused=form.invite, subject=form.subject
    )
    draft = _draft(services, submission, form.common, _RequestTarget(Operation.CREATE, group, options))
    return ParsedForm(draft, form.common.file, block=request_forms.CONNECTION_BLOCK)


async def _settings(services: Services, client: AsyncWebClient, submission: Submission) -> ParsedForm:
    form = settings_modal.parse(submission.view)
    group = await chosen_group(services, form.common.group)
    if not form.own:
        raise UserError(
            "The fields below belong to another group. Choose the group again.", field=submitted_view.GROUP_BLOCK
        )
    change = await _with_picture(client, form)
    _check_change(change)
    options = RequestOptions(run_at=await _run_at(services, submission, form.common), change=change)
    return ParsedForm(
        _draft(services, submission, form.common, _RequestTarget(Operation.SETTINGS, group, options)), people=False
    )


async def _invite(services: Services, _: AsyncWebClient, submission: Submission) -> ParsedForm:
    form = request_forms.parse_invite(submission.view)
    group = await chosen_group(services, form.common.group)
    sends = form.what is request_forms.InviteChoice.SEND
    common = form.common if sends else replace(form.common, numbers="", file=None)
    options = RequestOptions(run_at=await _run_at(services, submission, common), text=form.text if sends else "")
    draft = _draft(services, submission, common, _RequestTarget(Operation.INVITE, group, options))
    return ParsedForm(draft, common.file, people=sends, block=request_forms.INVITE_ACTION_BLOCK)


async def _send(services: Services, _: AsyncWebClient, submission: Submission) -> ParsedForm:
    form = request_forms.parse_send(submission.view)
    group = await chosen_group(services, form.common.group)
    if not form.text.strip():
        raise UserError("Type the text.", field=request_forms.MESSAGE_BLOCK)
    if not form.to_people and (form.common.numbers.strip() or form.common.file):
        raise UserError(
            "The text is for the group, but there are numbers too. Remove them, or choose people.",
            field=request_forms.RECIPIENT_BLOCK,
        )
    options = RequestOptions(run_at=await _run_at(services, submission, form.common), text=form.text)
    draft = _draft(services, submission, form.common, _RequestTarget(Operation.SEND, group, options))
    return ParsedForm(draft, form.common.file, people=form.to_people, block=request_forms.RECIPIENT_BLOCK)


async def _sync(services: Services, _: AsyncWebClient, submission: Submission) -> ParsedForm:
    form = request_forms.parse_sync(submission.view)
    sources = [bool(form.common.file), bool(form.usergroup), bool(form.other)]
    if sum(sources) != 1:
        missing = "Choose one list: a file, a user group or another group."
        raise UserError("Choose one list only." if any(sources) else missing, field=request_forms.USERGROUP_BLOCK)
    group = await chosen_group(services, form.common.group)
    other = None
    if form.other:
        source = await chosen_group(services, form.other, request_forms.OTHER_BLOCK)
        if source == group:
            raise UserError("This is the same group.", field=request_forms.OTHER_BLOCK)
        decision = services.authorizer.check(submission.actor, Action.LIST_MEMBERS, source)
        if isinstance(decision, Denied):
            raise UserError(f"You can't read this group's members. {decision.text}", field=request_forms.OTHER_BLOCK)
        other = (source.connection, source.id)
    every = form.every.total_seconds() if form.every else 0.0
    options = RequestOptions(look_only=form.mode is SyncMode.REPORT)
    return ParsedForm(
        _draft(services, submission, form.common, _RequestTarget(Operation.SYNC, group, options)),
        form.common.file,
        people=form.common.file is not None,
        sync=SyncTerms(
            mode=form.mode, every=every, usergroup=form.usergroup, usergroup_name=form.usergroup_name, other=other
        ),
    )


_PARSERS: Mapping[str, Callable[[Services, AsyncWebClient, Submission], Awaitable[ParsedForm]]] = MappingProxyType(
    {
        **dict.fromkeys(request_forms.PEOPLE_TITLES, _people),
        "create": _create,
        "settings": _settings,
        "invite": _invite,
        "send": _send,
        "sync": _sync,
    }
)
VERBS = tuple(_PARSERS)
"""The verbs that have a form."""


def _draft(
    services: Services,
    submission: Submission,
    common: CommonFields,
    target: _RequestTarget,
) -> RequestDraft:
    region = services.directory.catalog.get(target.group.ref).region
    return RequestDraft(
        id=submission.id,
        operation=target.operation,
        group=target.group,
        roster=roster.parse(common.numbers, default_region=region) if common.numbers else Roster(),
        reason=common.reason,
        requester=submission.actor,
        channel=common.channel,
        options=target.options,
    )


async def _run_at(services: Services, submission: Submission, common: CommonFields) -> datetime | None:
    """Read the start in the person's own time zone; None if the field is empty. Raises `UserError`."""
    if not common.run_at:
        return None
    zone = await services.slack.profiles.time_zone_of(submission.actor.user_id)
    try:
        return parse_start(common.run_at, zone, datetime.now(UTC))
    except InvalidTime as error:
        raise UserError(str(error), field=submitted_view.RUN_AT_BLOCK) from error


def _check_inviting(services: Services, actor: Actor, group: KnownGroup) -> None:
    if not all(services.authorizer.allows(actor, action, group) for action in INVITE_ACTIONS):
        problem = "You, or this connection's provider, can't send invites. Clear the checkbox."
        raise UserError(problem, field=request_forms.INVITE_BLOCK)


async def _with_picture(client: AsyncWebClient, form: settings_modal.SettingsForm) -> GroupChange:
    if form.jpeg is None:
        return form.change
    try:
        _, content = await fetch_file(client, form.jpeg)
    except FileUnavailable as error:
        raise UserError(str(error), field=settings_modal.JPEG_BLOCK) from error
    if not content.startswith(_JPEG):
        raise UserError("This file isn't a JPEG. Save the picture as a JPEG.", field=settings_modal.JPEG_BLOCK)
    if len(content) > MAX_PICTURE_BYTES:
        raise UserError(
            f"This picture is larger than {MAX_PICTURE_BYTES // 1_000_000} MB.", field=settings_modal.JPEG_BLOCK
        )
    return replace(form.change, picture=Picture(jpeg=content))


def _check_change(change: GroupChange) -> None:
    if change.subject == "":
        raise UserError("A group needs a name.", field=settings_modal.SUBJECT_BLOCK)
    if change.picture and not change.picture.jpeg and not change.picture.url.startswith("https://"):
        raise UserError("Use an address that begins with https://.", field=settings_modal.PICTURE_BLOCK)
    if not change.actions:
        raise UserError("Nothing would change. Change a setting below first.", field=submitted_view.GROUP_BLOCK)
