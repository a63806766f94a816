"""The form of `/wa-settings`: the group first, then the settings that its provider can change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import InputBlock, Option, StaticSelectElement
from slack_sdk.models.blocks.block_elements import FileInputElement, UrlInputElement
from slack_sdk.models.views import View

from bot.commands.values import MAX_TEXT
from bot.domain.groups import KnownGroup
from handlers.payloads import UploadedFile
from handlers.views import inputs
from handlers.views.blocks import context
from handlers.views.inputs import Prefill
from handlers.views.request_forms import MAX_SUBJECT
from handlers.views.submitted_view import CommonFields, SubmittedView, common
from handlers.views.text import escape, shorten
from providers.base import Ability, Action, Group, GroupChange, Picture, PictureForm

SUBJECT_BLOCK = "subject"
DESCRIPTION_BLOCK = "description"
ANNOUNCE_BLOCK = "announce"
LOCK_BLOCK = "lock"
EPHEMERAL_BLOCK = "ephemeral"
PICTURE_BLOCK = "picture"
JPEG_BLOCK = "jpeg"
_MAX_HINT = 150
_DAY = 86_400
_EPHEMERAL = {0: "Off", _DAY: "After 24 hours", 7 * _DAY: "After 7 days", 90 * _DAY: "After 90 days"}
"""The only durations in WhatsApp (WhatsApp Help Center, "About disappearing messages")."""
_SWITCHES = {
    Action.ANNOUNCE_ONLY: (ANNOUNCE_BLOCK, "Who can send messages", "Everyone in the group", "Only admins"),
    Action.LOCK: (LOCK_BLOCK, "Who can edit the group's info", "Everyone in the group", "Only admins"),
}


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """A submitted form.

    Attributes:
        change: the changed settings, including a name that was emptied, but not an uploaded picture.
        jpeg: the uploaded picture, not yet downloaded.
        own: whether the fields belong to the selected group.
    """

    common: CommonFields
    change: GroupChange
    jpeg: UploadedFile | None
    own: bool


@dataclass(frozen=True, slots=True)
class SettingsData:
    """The content of the fields.

    Attributes:
        abilities: the settings that the person and the provider can change, with their hints.
        now: the current group; None if it couldn't be read.
    """

    group: KnownGroup
    abilities: Mapping[Action, Ability]
    now: Group | None


def build(prefill: Prefill, data: SettingsData | None = None, *, external_id: str = "") -> View:
    """Build the form; without data it has only the group. It is updated by its view id or external id."""
    group = data.group if data else prefill.group
    blocks: list[Any] = [inputs.group_input(group, dispatch=True)]
    if data is None:
        blocks.append(context("Choose a group to see its settings."))
        return inputs.form("settings", "Change a group", blocks, external_id, channel=prefill.channel)
    if data.now is None:
        blocks.append(context("Couldn't read the current settings. Only the fields you fill in will change."))
    elif not data.abilities:
        blocks.append(context(f"You can't change any settings on the connection `{escape(data.group.connection)}`."))
    blocks += [*_fields(data), inputs.run_at_input(), inputs.reason_input()]
    return inputs.form("settings", "Change a group", blocks, external_id, channel=prefill.channel)


def parse(view: dict[str, Any]) -> SettingsForm:
    """Parse the fields that were changed. Raises `ValueError` for another shape."""
    filled = SubmittedView(view)
    subject = filled.changed_text(SUBJECT_BLOCK)
    picture, ephemeral = filled.text(PICTURE_BLOCK).strip(), filled.changed_option(EPHEMERAL_BLOCK)
    change = GroupChange(
        subject=None if subject is None else " ".join(subject.split()),
        description=filled.changed_text(DESCRIPTION_BLOCK),
        picture=Picture(url=picture) if picture else None,
        announce_only=_switched(filled, ANNOUNCE_BLOCK),
        locked=_switched(filled, LOCK_BLOCK),
        ephemeral=int(ephemeral) if ephemeral else None,
    )
    read = common(filled)
    return SettingsForm(read, change, filled.file(JPEG_BLOCK), own=filled.marks() <= {inputs.mark(read.group)})


def _switched(filled: SubmittedView, block: str) -> bool | None:
    value = filled.changed_option(block)
    return value == "on" if value else None


def _fields(data: SettingsData) -> list[InputBlock]:
    """Build a field for each setting; the ids contain the group, so that no field keeps the text of another group."""
    able, now = data.abilities, data.now or Group(data.group.id, "")
    own = ":" + inputs.mark(inputs.value_of(data.group))
    fields = []
    if Action.RENAME in able:
        fields.append(
            inputs.text_input(
                SUBJECT_BLOCK + own, "Name", hint=_hint(able[Action.RENAME]), most=MAX_SUBJECT, initial=now.subject
            )
        )
    if Action.DESCRIBE in able:
        fields.append(
            inputs.text_input(
                DESCRIPTION_BLOCK + own,
                "Description",
                hint=_hint(able[Action.DESCRIBE]),
                most=MAX_TEXT,
                multiline=True,
                initial=now.description or "",
            )
        )
    states = {Action.ANNOUNCE_ONLY: now.announce_only, Action.LOCK: now.locked}
    for action, (block, label, off, on) in _SWITCHES.items():
        if action in able:
            state = states[action]
            chosen = None if state is None else "on" if state else "off"
            fields.append(_select(block + own, label, {"off": off, "on": on}, chosen, able[action]))
    if Action.EPHEMERAL in able:
        options = {str(seconds): text for seconds, text in _EPHEMERAL.items()}
        chosen = str(now.ephemeral) if now.ephemeral in _EPHEMERAL else None
        fields.append(_select(EPHEMERAL_BLOCK + own, "Messages disappear", options, chosen, able[Action.EPHEMERAL]))
    if Action.PICTURE in able:
        fields.append(_picture(own, able[Action.PICTURE]))
    return fields


def _select(block: str, label: str, options: Mapping[str, str], chosen: str | None, ability: Ability) -> InputBlock:
    made = {value: Option(value=value, text=text) for value, text in options.items()}
    element = StaticSelectElement(
        action_id=inputs.INPUT,
        placeholder="No change",
        options=list(made.values()),
        initial_option=made[chosen] if chosen else None,
    )
    return InputBlock(block_id=block, label=label, hint=_hint(ability) or None, optional=True, element=element)


def _picture(own: str, ability: Ability) -> InputBlock:
    if ability.picture is PictureForm.JPEG:
        upload = FileInputElement(action_id=inputs.INPUT, filetypes=["jpg", "jpeg"], max_files=1)
        return InputBlock(block_id=JPEG_BLOCK + own, label="Picture (JPEG file)", optional=True, element=upload)
    return InputBlock(
        block_id=PICTURE_BLOCK + own,
        label="Picture (URL)",
        hint="A public link to a JPEG. The provider downloads it.",
        optional=True,
        element=UrlInputElement(action_id=inputs.INPUT, placeholder="https://…"),
    )


def _hint(ability: Ability) -> str:
    return shorten(ability.hint, _MAX_HINT)
