"""The form of `/wa-sync`: a group, the list it is to be like, and what is done about the difference."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from slack_sdk.models.blocks import ExternalDataSelectElement, InputBlock, Option, StaticSelectElement
from slack_sdk.models.views import View

from bot.domain.sync import SyncMode
from handlers.views import inputs
from handlers.views.inputs import Prefill
from handlers.views.submitted_view import CommonFields, SubmittedView, common
from handlers.views.text import shorten

USERGROUP_BLOCK = "usergroup"
USERGROUP_SELECT = "usergroup_select"
OTHER_BLOCK = "other"
MODE_BLOCK = "mode"
EVERY_BLOCK = "every"
_MODES = {
    str(SyncMode.ADD): "Add who is missing",
    str(SyncMode.MIRROR): "Add who is missing, remove who is not on the list",
    str(SyncMode.REPORT): "Report the difference, change nothing",
}
_EVERY = {"once": "Once", "24": "Every day", "168": "Every week"}
"""By hours."""
_MOST_LABEL = 75


@dataclass(frozen=True, slots=True)
class SyncForm:
    """What was filled in; of file, user group and other group exactly one is to be told. `every` None: once."""

    common: CommonFields
    usergroup: str
    usergroup_name: str
    other: str
    mode: SyncMode
    every: timedelta | None


def build(prefill: Prefill) -> View:
    """Build the form."""
    usergroup = ExternalDataSelectElement(
        action_id=USERGROUP_SELECT, placeholder="Search by name or handle", min_query_length=0
    )
    every = {value: Option(value=value, text=text) for value, text in _EVERY.items()}
    other = inputs.group_input(block=OTHER_BLOCK, label="List: the members of another group")
    other.optional = True
    blocks = [
        inputs.group_input(prefill.group, label="Group to bring in line"),
        inputs.file_input("List: a file with numbers"),
        InputBlock(
            block_id=USERGROUP_BLOCK,
            label="List: a Slack user group",
            hint="Its members' phones come from their Slack profiles",
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


def parse(view: dict[str, Any]) -> SyncForm:
    """Read back what was filled in, from the `view` of a `view_submission`. Raises `ValueError` for another shape."""
    filled = SubmittedView(view)
    every = filled.option(EVERY_BLOCK)
    return SyncForm(
        common(filled),
        usergroup=filled.option(USERGROUP_BLOCK),
        usergroup_name=filled.option_text(USERGROUP_BLOCK),
        other=filled.option(OTHER_BLOCK),
        mode=SyncMode(filled.option(MODE_BLOCK)),
        every=None if every in {"", "once"} else timedelta(hours=int(every)),
    )


def usergroup_options(names: dict[str, str]) -> list[Option]:
    """Make the options of the user group select, from names by id."""
    return [Option(value=id_, text=shorten(name, _MOST_LABEL)) for id_, name in names.items()][: inputs.MOST_OPTIONS]
