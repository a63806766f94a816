"""The shortcuts: *Add numbers to a group* on a message, and the list of all forms, with their buttons."""

from collections.abc import Iterator, Sequence
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands.manifest import ADD_NUMBERS, GROUPS
from bot.domain import roster
from bot.services.uploads.message import numbers_in
from handlers import modals
from handlers.clients.errors import error_code
from handlers.clients.personal import open_direct_channel
from handlers.errors import read_only
from handlers.modals.open import new_external_id, open_chooser, open_modal
from handlers.modals.uploads import AmbiguousColumn, FileUnreadable, UploadReader
from handlers.payloads import Click, Interaction, Named, Payload, UploadedFile
from handlers.services import Services
from handlers.views import command_help, interim_modals, request_forms
from handlers.views.inputs import Prefill

MAX_FILES = 5
"""Maximum files of one message that are read."""
_ADD = "add"

log = structlog.get_logger(__name__)


class _Field(Payload):
    title: str | None = None
    value: str | None = None


class _Attachment(Payload):
    """An attachment: a forwarded message, a bot's card, or the preview of a link.

    Source: docs.slack.dev, "Legacy: secondary message attachments". The fields that distinguish them are in the SDKs'
    types of conversations.history.
    """

    pretext: str | None = None
    title: str | None = None
    text: str | None = None
    fallback: str | None = None
    fields: tuple[_Field, ...] = ()
    files: tuple[UploadedFile, ...] = ()
    from_url: str | None = None
    is_msg_unfurl: bool = False
    is_share: bool = False

    @property
    def is_preview(self) -> bool:
        """Whether it is the preview of a link, which the author didn't write."""
        return bool(self.from_url) and not (self.is_msg_unfurl or self.is_share)

    @property
    def texts(self) -> list[str]:
        fields = [text for field in self.fields for text in (field.title, field.value)]
        texts = [text for text in (self.pretext, self.title, self.text, *fields) if text]
        return texts or ([self.fallback] if self.fallback else [])


class SharedMessage(Payload):
    """The `message` of a `message_action` (docs.slack.dev, "Shortcuts interaction payload")."""

    text: str | None = None
    bot_id: str | None = None
    blocks: tuple[dict[str, Any], ...] = ()
    files: tuple[UploadedFile, ...] = ()
    attachments: tuple[_Attachment, ...] = ()

    @property
    def texts(self) -> list[str]:
        """All its texts. A person's are complete in `text`; a bot may write more in blocks."""
        texts = [self.text] if self.text else []
        if self.bot_id:
            texts += _texts(self.blocks)
        return texts + [text for attachment in self._shared for text in attachment.texts]

    @property
    def all_files(self) -> tuple[UploadedFile, ...]:
        """Its files, and those of the messages that it forwards."""
        return (*self.files, *(file for attachment in self._shared for file in attachment.files))

    @property
    def _shared(self) -> list[_Attachment]:
        return [attachment for attachment in self.attachments if not attachment.is_preview]


class _Shortcut(Interaction):
    """The payload of a global shortcut (docs.slack.dev, "Shortcuts interaction payload")."""

    trigger_id: str


class _MessageShortcut(_Shortcut):
    """The payload of a shortcut on a message (`message_action`, on the same page)."""

    channel: Named
    message: SharedMessage


def register(app: AsyncApp, services: Services) -> None:
    """Register the shortcuts, and the buttons that open forms."""
    uploads = UploadReader()

    @app.shortcut(GROUPS, middleware=[read_only])
    async def choose(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        shortcut = _Shortcut.model_validate(body)
        await ack()
        await open_chooser(services, client, shortcut.trigger_id, shortcut.user.id)

    @app.shortcut(ADD_NUMBERS, middleware=[read_only])
    async def add_numbers(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        shortcut = _MessageShortcut.model_validate(body)
        await ack()
        await _add_numbers(services, uploads, client, shortcut)

    @app.action(command_help.OPEN_FORM, middleware=[read_only])
    async def open_form(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        await ack()
        user, view = click.user.id, click.view
        channel = click.channel_id or (command_help.parse_chooser(view.private_metadata).channel if view else "")
        await modals.open_form(
            services,
            client,
            click.value,
            trigger_id=click.trigger_id,
            channel=channel or await open_direct_channel(client, user),
            user=user,
            view_id=view.id if view else "",
        )


async def _add_numbers(
    services: Services, uploads: UploadReader, client: AsyncWebClient, shortcut: _MessageShortcut
) -> None:
    """Open the form with the numbers of a message. Raises `UserError`."""
    region = _region(services)
    numbers, files = _numbers(shortcut.message, region), shortcut.message.all_files[:MAX_FILES]
    actor = await services.slack.user_groups.actor(shortcut.user.id)
    if not files and not numbers:
        await open_modal(client, shortcut.trigger_id, interim_modals.no_numbers([]))
        return
    if not files or services.authorizer.denied_everywhere(actor, _ADD):
        await modals.open_form(
            services,
            client,
            _ADD,
            trigger_id=shortcut.trigger_id,
            channel=shortcut.channel.id,
            user=shortcut.user.id,
            numbers=numbers,
        )
        return
    external_id = new_external_id()
    await open_modal(client, shortcut.trigger_id, interim_modals.reading_message(len(files), external_id))
    found, problems = await _read(uploads, client, files, region)
    if len(shortcut.message.all_files) > MAX_FILES:
        problems.append(f"Only the first {MAX_FILES} files were read.")
    view = _form(services, shortcut.channel.id, "\n".join([*filter(None, [numbers]), *found]), problems)
    view.external_id = external_id
    try:
        await client.views_update(external_id=external_id, view=view)
    except SlackApiError as error:
        if error_code(error) != "not_found":
            raise
        log.info("modal_closed", user=shortcut.user.id)


def _numbers(message: SharedMessage, region: str | None) -> str:
    """Return the numbers in a message's texts, one per line, each once."""
    return "\n".join(dict.fromkeys(line for text in message.texts for line in numbers_in(text, region).splitlines()))


async def _read(
    uploads: UploadReader, client: AsyncWebClient, files: Sequence[UploadedFile], region: str | None
) -> tuple[list[str], list[str]]:
    """Return the numbers in files, and why some of the files couldn't be read."""
    found: list[str] = []
    problems: list[str] = []
    for file in files:
        name = file.name or "A file without a name"
        try:
            people = await uploads.read(client, file, region)
        except FileUnreadable as error:
            problems.append(f"{name}: {error}")
            continue
        if isinstance(people, AmbiguousColumn):
            problems.append(f"{name}: It has more than one column of numbers. Upload it in the form and choose one.")
        elif not people.roster.people:
            problems.append(f"{name}: It contains no valid number.")
        else:
            found += [roster.written(person) for person in people.roster.people]
            found += [" ".join(entry.raw.split()) for entry in people.roster.rejected]  # the preview says why
    return found, problems


def _form(services: Services, channel: str, numbers: str, problems: Sequence[str]) -> View:
    if not numbers:
        return interim_modals.no_numbers(problems)
    prefill = Prefill(channel, numbers=numbers)
    try:
        view = request_forms.people_form(_ADD, prefill, can_invite=services.authorizer.can_invite())
    except ValueError as error:
        return interim_modals.too_many_numbers(str(error))
    return interim_modals.with_problems(view, problems)


def _region(services: Services) -> str | None:
    """Return the region of numbers without a country code; None if the connections have different ones."""
    regions = set(services.directory.catalog.regions.values())
    return regions.pop() if len(regions) == 1 else None


def _texts(part: Any) -> Iterator[str]:
    """Yield the texts of blocks of any type."""
    if isinstance(part, dict):
        text = part.get("text")
        if isinstance(text, str):
            yield text
        for name, value in part.items():
            if name != "text" or not isinstance(text, str):
                yield from _texts(value)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from _texts(inner)
