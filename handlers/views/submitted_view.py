"""What was filled into a form, read back from the `view` of a `view_submission`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from handlers.payloads import Payload

GROUP_BLOCK = "group"
NUMBERS_BLOCK = "numbers"
FILE_BLOCK = "file"
REASON_BLOCK = "reason"
RUN_AT_BLOCK = "run_at"


class UploadedFile(Payload):
    """A file of a `file_input`; where Slack tells its id only, files.info tells the rest."""

    id: str
    name: str = ""
    size: int = 0
    url_private_download: str = ""


class _Text(Payload):
    text: str = ""


class _Option(Payload):
    value: str
    text: _Text = _Text()


class _Field(Payload):
    value: str | None = None
    selected_option: _Option | None = None
    selected_options: tuple[_Option, ...] | None = None
    selected_date_time: int | None = None
    files: tuple[UploadedFile, ...] | None = None


class _State(Payload):
    values: dict[str, dict[str, _Field]]


class _Element(Payload):
    initial_value: str | None = None
    initial_option: _Option | None = None


class _Block(Payload):
    block_id: str = ""
    element: _Element = _Element()


class _View(Payload):
    state: _State
    private_metadata: str
    blocks: tuple[_Block, ...] = ()


class SubmittedView:
    """What was filled in, read from the `view` of a `view_submission`. Raises `ValueError` for another shape."""

    def __init__(self, view: Mapping[str, Any]) -> None:
        read = _View.model_validate(view)
        self._fields = {block: next(iter(held.values()), _Field()) for block, held in read.state.values.items()}
        self._initial = {block.block_id: block.element for block in read.blocks}
        self.carried: dict[str, Any] = json.loads(read.private_metadata)

    def block(self, name: str) -> str:
        """Give the id of the block that is called so, for an error at it; the name itself where there is none."""
        return next((block for block in self._fields if block.partition(":")[0] == name), name)

    def marks(self) -> set[str]:
        """Give what the marked blocks are marked with, but for the numbers' further parts."""
        parted = (block.partition(":") for block in self._fields)
        return {own for name, _, own in parted if own and name != NUMBERS_BLOCK}

    def text(self, name: str) -> str:
        """Give a text as it was typed; where it had to be spread over several fields, all of them."""
        texts = [field.value for block, field in self._fields.items() if block.partition(":")[0] == name]
        return "\n".join(text for text in texts if text)

    def option(self, name: str) -> str:
        """Give the value of the option that was chosen; empty where none was."""
        chosen = self._field(name).selected_option
        return chosen.value if chosen else ""

    def option_text(self, name: str) -> str:
        """Give how the option that was chosen reads; empty where none was."""
        chosen = self._field(name).selected_option
        return chosen.text.text if chosen else ""

    def ticked(self, name: str) -> bool:
        """Tell whether a checkbox is ticked."""
        return bool(self._field(name).selected_options)

    def moment(self, name: str) -> datetime | None:
        """Give the moment that was chosen, aware; None where none was."""
        at = self._field(name).selected_date_time
        return datetime.fromtimestamp(at, UTC) if at else None

    def file(self, name: str) -> UploadedFile | None:
        """Give the file that was uploaded; None where none was."""
        return next(iter(self._field(name).files or ()), None)

    def changed_text(self, name: str) -> str | None:
        """Give a text where it is not what the field held when it was shown, else None."""
        text, initial = self.text(name), self._shown(name).initial_value or ""
        return None if text == initial else text

    def changed_option(self, name: str) -> str | None:
        """Give the chosen option where it is not what was chosen when the field was shown, else None."""
        value, initial = self.option(name), self._shown(name).initial_option
        return None if not value or (initial and value == initial.value) else value

    def _field(self, name: str) -> _Field:
        return self._fields.get(self.block(name), _Field())

    def _shown(self, name: str) -> _Element:
        return self._initial.get(self.block(name), _Element())


@dataclass(frozen=True, slots=True)
class CommonFields:
    """What most forms ask for. `group` is what `value_of` made."""

    channel: str
    group: str
    numbers: str
    file: UploadedFile | None
    reason: str
    run_at: datetime | None


def common(filled: SubmittedView) -> CommonFields:
    """Read the shared fields; one that a form does not have is empty."""
    return CommonFields(
        channel=str(filled.carried["channel"]),
        group=filled.option(GROUP_BLOCK),
        numbers=filled.text(NUMBERS_BLOCK),
        file=filled.file(FILE_BLOCK),
        reason=filled.text(REASON_BLOCK).strip(),
        run_at=filled.moment(RUN_AT_BLOCK),
    )
