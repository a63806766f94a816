"""The form of `/wa-settings`: a group first, then what its provider can change about it, each with what it is now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import InputBlock, Option, StaticSelectElement
from slack_sdk.models.blocks.block_elements import FileInputElement, UrlInputElement
from slack_sdk.models.views import View

from bot.commands.values import MAX_TEXT
from bot.domain.groups import KnownGroup
from handlers.views import inputs
from handlers.views.blocks import context
from handlers.views.inputs import Prefill
from handlers.views.request_forms import MOST_SUBJECT
from handlers.views.submitted_view import CommonFields, SubmittedView, UploadedFile, common
from handlers.views.text import escape, shorten
from providers.base import Ability, Action, Group, GroupChange, Picture, PictureForm

SUBJECT_BLOCK = "subject"
DESCRIPTION_BLOCK = "description"
ANNOUNCE_BLOCK = "announce"
LOCK_BLOCK = "lock"
EPHEMERAL_BLOCK = "ephemeral"
PICTURE_BLOCK = "picture"
JPEG_BLOCK = "jpeg"
_MOST_HINT = 150
_DAY = 86_400
_EPHEMERAL = {0: "Off", _DAY: "After 24 hours", 7 * _DAY: "After 7 days", 90 * _DAY: "After 90 days"}
"""WhatsApp knows no other time (WhatsApp Help Center, "About disappearing messages")."""
_SWITCHES = {
    Action.ANNOUNCE_ONLY: (ANNOUNCE_BLOCK, "Who may write", "Everybody in the group", "Only admins"),
    Action.LOCK: (LOCK_BLOCK, "Who may edit the group's info", "Everybody in the group", "Only admins"),
}


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """What was filled in.

    Attributes:
        change: what differs, a name that was emptied too; without the picture that was uploaded.
        jpeg: the picture, which has still to be fetched.
        own: whether the fields were made for the group that is chosen.
    """

    common: CommonFields
    change: GroupChange
    jpeg: UploadedFile | None
    own: bool


@dataclass(frozen=True, slots=True)
class SettingsData:
    """What the fields show.

    Attributes:
        abilities: what the person may, and the provider can, change; with what is special about it.
        now: the group as it is; None where its provider does not tell.
    """

    group: KnownGroup
    abilities: Mapping[Action, Ability]
    now: Group | None


def build(prefill: Prefill, facts: SettingsData | None = None, *, external_id: str = "") -> View:
    """Build the form: without facts only the group is asked for. It is found again by its view or external id."""
    group = facts.group if facts else prefill.group
    blocks: list[Any] = [inputs.group_input(group, dispatch=True)]
    if facts is None:
        blocks.append(context("What can be changed appears when a group is chosen."))
        return inputs.form("settings", "Change a group", blocks, external_id, channel=prefill.channel)
    if facts.now is None:
        blocks.append(context("How the group is now could not be read: only what you fill in is changed."))
    elif not facts.abilities:
        blocks.append(context(f"On the connection `{escape(facts.group.connection)}` you can change nothing here."))
    blocks += [*_fields(facts), inputs.run_at_input(), inputs.reason_input()]
    return inputs.form("settings", "Change a group", blocks, external_id, channel=prefill.channel)


def parse(view: dict[str, Any]) -> SettingsForm:
    """Read back what differs from what was shown. Raises `ValueError` for another shape."""
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


def _fields(facts: SettingsData) -> list[InputBlock]:
    """Make a field for each ability, with ids of this group's own, so that none shows what another group had."""
    able, now = facts.abilities, facts.now or Group(facts.group.id, "")
    own = ":" + inputs.mark(inputs.value_of(facts.group))
    fields = []
    if Action.RENAME in able:
        fields.append(
            inputs.text_input(
                SUBJECT_BLOCK + own, "Name", hint=_hint(able[Action.RENAME]), most=MOST_SUBJECT, initial=now.subject
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
        placeholder="As it is",
        options=list(made.values()),
        initial_option=made[chosen] if chosen else None,
    )
    return InputBlock(block_id=block, label=label, hint=_hint(ability) or None, optional=True, element=element)


def _picture(own: str, ability: Ability) -> InputBlock:
    if ability.picture is PictureForm.JPEG:
        upload = FileInputElement(action_id=inputs.INPUT, filetypes=["jpg", "jpeg"], max_files=1)
        return InputBlock(block_id=JPEG_BLOCK + own, label="Picture, a JPEG file", optional=True, element=upload)
    return InputBlock(
        block_id=PICTURE_BLOCK + own,
        label="Picture, by its address",
        hint="The address of a JPEG that anybody can open: the provider fetches it from there.",
        optional=True,
        element=UrlInputElement(action_id=inputs.INPUT, placeholder="https://…"),
    )


def _hint(ability: Ability) -> str:
    return shorten(ability.hint, _MOST_HINT)
