"""The forms of `/wa-add`, `-remove`, `-promote`, `-demote`, `-create`, `-invite`, `-send` and `-sync`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from slack_sdk.models.blocks import ExternalDataSelectElement, InputBlock, Option, StaticSelectElement
from slack_sdk.models.views import View

from bot.commands.values import MAX_TEXT
from bot.domain.sync import SyncMode
from handlers.payloads import MalformedPayload
from handlers.views import inputs
from handlers.views.blocks import MAX_LABEL
from handlers.views.inputs import Prefill
from handlers.views.submitted_view import CommonFields, SubmittedView, common
from handlers.views.text import shorten

INVITE_BLOCK = "invite"
PEOPLE_TITLES = {
    "add": "Add to a group",
    "remove": "Remove from a group",
    "promote": "Make group admins",
    "demote": "Remove admin rights",
}


@dataclass(frozen=True, slots=True)
class PeopleForm:
    """A submitted form; `invite` is whether to invite people who can't be added directly."""

    common: CommonFields
    invite: bool


def people_form(verb: str, prefill: Prefill, *, can_invite: bool) -> View:
    """Build the form of a verb. Raises `ValueError` if the numbers don't fit.

    Args:
        verb: one of `PEOPLE_TITLES`.
        prefill: its initial content.
        can_invite: whether a connection can send invite links.
    """
    blocks = [inputs.group_input(prefill.group), *inputs.numbers_inputs(prefill.numbers), inputs.file_input()]
    if verb == "add" and can_invite:
        blocks.append(invite_input())
    blocks += [inputs.run_at_input(), inputs.reason_input()]
    return inputs.form(verb, PEOPLE_TITLES[verb], blocks, channel=prefill.channel)


def invite_input() -> InputBlock:
    """Build the checkbox for inviting people who can't be added directly."""
    return inputs.tick_input(
        INVITE_BLOCK,
        "If someone can't be added directly",
        "Send them the invite link",
        hint="In a message from the connection's account, to people whose privacy settings block direct adds.",
    )


def parse_people(view: dict[str, Any]) -> PeopleForm:
    """Parse the `view` of a `view_submission`. Raises `ValueError` for another shape."""
    filled = SubmittedView(view)
    return PeopleForm(common(filled), filled.ticked(INVITE_BLOCK))


CONNECTION_BLOCK = "connection"
SUBJECT_BLOCK = "subject"
MAX_SUBJECT = 100
"""WhatsApp's own limit (WhatsApp Help Center, "How to change a group's subject"); a provider's may be lower."""


@dataclass(frozen=True, slots=True)
class CreateForm:
    """A submitted form."""

    common: CommonFields
    connection: str
    subject: str
    invite: bool


def create_form(prefill: Prefill, connections: Sequence[str], *, can_invite: bool) -> View:
    """Build the form. Raises `ValueError` if the numbers don't fit.

    Args:
        prefill: its initial content.
        connections: the connections on which the person may create groups, at least one.
        can_invite: whether one of them can send invite links.
    """
    options = [Option(value=name, text=shorten(name, MAX_LABEL)) for name in connections[: inputs.MAX_OPTIONS]]
    only = options[0] if len(options) == 1 else None
    connection = StaticSelectElement(
        action_id=inputs.INPUT, placeholder="Choose a connection", options=options, initial_option=only
    )
    blocks = [
        InputBlock(block_id=CONNECTION_BLOCK, label="Connection", element=connection),
        inputs.text_input(SUBJECT_BLOCK, "Name of the group", most=MAX_SUBJECT, optional=False),
        *inputs.numbers_inputs(prefill.numbers),
        inputs.file_input(),
        *([invite_input()] if can_invite else []),
        inputs.run_at_input(),
        inputs.reason_input(),
    ]
    return inputs.form("create", "Create a group", blocks, channel=prefill.channel)


def parse_create(view: dict[str, Any]) -> CreateForm:
    """Parse the `view` of a `view_submission`. Raises `ValueError` for another shape."""
    filled = SubmittedView(view)
    return CreateForm(
        common(filled),
        connection=filled.option(CONNECTION_BLOCK),
        subject=" ".join(filled.text(SUBJECT_BLOCK).split()),
        invite=filled.ticked(INVITE_BLOCK),
    )


INVITE_ACTION_BLOCK = "what"
TEXT_BLOCK = "text"
"""The text before the link, in the same message."""


class InviteChoice(StrEnum):
    """What to do with the link."""

    SEND = "send"
    SHOW = "show"
    RESET = "reset"


_INVITE_LABELS = {
    InviteChoice.SEND: "Send the link to people",
    InviteChoice.SHOW: "Show me the link",
    InviteChoice.RESET: "Reset the link: the current one stops working",
}


@dataclass(frozen=True, slots=True)
class InviteForm:
    """A submitted form."""

    common: CommonFields
    what: InviteChoice
    text: str


def invite_form(prefill: Prefill) -> View:
    """Build the form. Raises `ValueError` if the numbers don't fit."""
    blocks = [
        inputs.group_input(prefill.group),
        inputs.radio_input(
            INVITE_ACTION_BLOCK, "What to do", {str(w): label for w, label in _INVITE_LABELS.items()}, InviteChoice.SEND
        ),
        *inputs.numbers_inputs(prefill.numbers, label="Numbers to send it to"),
        inputs.file_input(),
        inputs.text_input(
            TEXT_BLOCK, "Text before the link", hint="Only if you send the link.", most=MAX_TEXT, multiline=True
        ),
        inputs.run_at_input(),
        inputs.reason_input(),
    ]
    return inputs.form("invite", "Invite to a group", blocks, channel=prefill.channel)


def parse_invite(view: dict[str, Any]) -> InviteForm:
    """Parse the `view` of a `view_submission`. Raises `ValueError` for another shape."""
    filled = SubmittedView(view)
    return InviteForm(common(filled), InviteChoice(filled.option(INVITE_ACTION_BLOCK)), filled.text(TEXT_BLOCK).strip())


RECIPIENT_BLOCK = "to"
MESSAGE_BLOCK = "text"
_RECIPIENTS = {"group": "The group", "people": "The people below, individually"}


@dataclass(frozen=True, slots=True)
class SendForm:
    """A submitted form; `to_people` is False if the text is for the group."""

    common: CommonFields
    to_people: bool
    text: str


def send_form(prefill: Prefill) -> View:
    """Build the form. Raises `ValueError` if the numbers don't fit."""
    blocks = [
        inputs.group_input(prefill.group),
        inputs.radio_input(RECIPIENT_BLOCK, "Send to", _RECIPIENTS, "people" if prefill.numbers else "group"),
        inputs.text_input(
            MESSAGE_BLOCK,
            "Text",
            hint=f"Up to {MAX_TEXT:,} characters. The preview shows exactly what will be sent.",
            most=MAX_TEXT,
            optional=False,
            multiline=True,
        ),
        *inputs.numbers_inputs(prefill.numbers, label="Numbers, for people"),
        inputs.file_input(),
        inputs.run_at_input(),
        inputs.reason_input(),
    ]
    return inputs.form("send", "Send a message", blocks, channel=prefill.channel)


def parse_send(view: dict[str, Any]) -> SendForm:
    """Parse the `view` of a `view_submission`. Raises `ValueError` for another shape."""
    filled = SubmittedView(view)
    return SendForm(common(filled), filled.option(RECIPIENT_BLOCK) == "people", filled.text(MESSAGE_BLOCK))


USERGROUP_BLOCK = "usergroup"
USERGROUP_SELECT = "usergroup_select"
OTHER_BLOCK = "other"
MODE_BLOCK = "mode"
EVERY_BLOCK = "every"
_MODES = {
    str(SyncMode.ADD): "Add missing people",
    str(SyncMode.MIRROR): "Add missing people, remove people who aren't on the list",
    str(SyncMode.REPORT): "Only report the difference",
}
_EVERY = {"once": "Once", "24": "Every day", "168": "Every week"}
"""The intervals by their number of hours."""


@dataclass(frozen=True, slots=True)
class SyncForm:
    """A submitted form; it needs exactly one of file, user group and other group. `every` is None for once."""

    common: CommonFields
    usergroup: str
    usergroup_name: str
    other: str
    mode: SyncMode
    every: timedelta | None


def sync_form(prefill: Prefill) -> View:
    """Build the form."""
    usergroup = ExternalDataSelectElement(
        action_id=USERGROUP_SELECT, placeholder="Search by name or handle", min_query_length=0
    )
    every = {value: Option(value=value, text=text) for value, text in _EVERY.items()}
    other = inputs.group_input(block=OTHER_BLOCK, label="List: the members of another group")
    other.optional = True
    blocks = [
        inputs.group_input(prefill.group, label="Group to sync"),
        inputs.file_input("List: a file with numbers"),
        InputBlock(
            block_id=USERGROUP_BLOCK,
            label="List: a Slack user group",
            hint="Phone numbers come from the members' Slack profiles.",
            optional=True,
            element=usergroup,
        ),
        other,
        inputs.radio_input(MODE_BLOCK, "What to do", _MODES, SyncMode.ADD),
        InputBlock(
            block_id=EVERY_BLOCK,
            label="Repeat",
            element=StaticSelectElement(
                action_id=inputs.INPUT, options=list(every.values()), initial_option=every["once"]
            ),
        ),
        inputs.reason_input(),
    ]
    return inputs.form("sync", "Sync with a list", blocks, channel=prefill.channel)


def _mode(value: str) -> SyncMode:
    try:
        return SyncMode(value)
    except ValueError:
        raise MalformedPayload(f"{MODE_BLOCK}: no such option") from None


def parse_sync(view: dict[str, Any]) -> SyncForm:
    """Parse the `view` of a `view_submission`. Raises `ValueError` for another shape."""
    filled = SubmittedView(view)
    every = filled.option(EVERY_BLOCK)
    return SyncForm(
        common(filled),
        usergroup=filled.option(USERGROUP_BLOCK),
        usergroup_name=filled.option_text(USERGROUP_BLOCK),
        other=filled.option(OTHER_BLOCK),
        mode=_mode(filled.option(MODE_BLOCK)),
        every=None if every in {"", "once"} else timedelta(hours=int(every)),
    )


def usergroup_options(names: dict[str, str]) -> list[Option]:
    """Build the options of the user group select, from names by id."""
    return [Option(value=id_, text=shorten(name, MAX_LABEL)) for id_, name in names.items()][: inputs.MAX_OPTIONS]
