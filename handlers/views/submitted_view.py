"""The fields of a submitted form, parsed from the `view` of a `view_submission`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Json

from handlers.payloads import Payload, UploadedFile

GROUP_BLOCK = "group"
NUMBERS_BLOCK = "numbers"
FILE_BLOCK = "file"
REASON_BLOCK = "reason"
RUN_AT_BLOCK = "run_at"


class _Text(Payload):
    text: str = ""


class _Option(Payload):
    value: str
    text: _Text = _Text()


class _Field(Payload):
    value: str | None = None
    selected_option: _Option | None = None
    selected_options: tuple[_Option, ...] | None = None
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
    private_metadata: Json[dict[str, Any]]
    blocks: tuple[_Block, ...] = ()


class _Carried(Payload):
    channel: str


class SubmittedView:
    """A submitted form. Raises `MalformedPayload` for a `view` of another shape."""

    def __init__(self, view: Mapping[str, Any]) -> None:
        read = _View.model_validate(view)
        self._fields = {block: next(iter(held.values()), _Field()) for block, held in read.state.values.items()}
        self._initial = {block.block_id: block.element for block in read.blocks}
        self.carried = read.private_metadata

    def block(self, name: str) -> str:
        """Return the id of the block with this name, for an error; the name itself if there is no such block."""
        return next((block for block in self._fields if block.partition(":")[0] == name), name)

    def marks(self) -> set[str]:
        """Return the marks of the block ids, except the part numbers of the people."""
        parted = (block.partition(":") for block in self._fields)
        return {own for name, _, own in parted if own and name != NUMBERS_BLOCK}

    def text(self, name: str) -> str:
        """Return a text as it was typed; if it was split over several fields, all of them."""
        texts = [field.value for block, field in self._fields.items() if block.partition(":")[0] == name]
        return "\n".join(text for text in texts if text)

    def option(self, name: str) -> str:
        """Return the value of the selected option; empty if there is none."""
        chosen = self._field(name).selected_option
        return chosen.value if chosen else ""

    def option_text(self, name: str) -> str:
        """Return the text of the selected option; empty if there is none."""
        chosen = self._field(name).selected_option
        return chosen.text.text if chosen else ""

    def ticked(self, name: str) -> bool:
        """Return whether a checkbox is ticked."""
        return bool(self._field(name).selected_options)

    def file(self, name: str) -> UploadedFile | None:
        """Return the uploaded file; None if there is none."""
        return next(iter(self._field(name).files or ()), None)

    def changed_text(self, name: str) -> str | None:
        """Return a text that differs from the field's initial value, else None."""
        text, initial = self.text(name), self._shown(name).initial_value or ""
        return None if text == initial else text

    def changed_option(self, name: str) -> str | None:
        """Return a selected option that differs from the initial one, else None."""
        value, initial = self.option(name), self._shown(name).initial_option
        return None if not value or (initial and value == initial.value) else value

    def _field(self, name: str) -> _Field:
        return self._fields.get(self.block(name), _Field())

    def _shown(self, name: str) -> _Element:
        return self._initial.get(self.block(name), _Element())


@dataclass(frozen=True, slots=True)
class CommonFields:
    """The fields that most forms have. `group` is a value from `inputs.value_of`; `run_at` is as typed."""

    channel: str
    group: str
    numbers: str
    file: UploadedFile | None
    reason: str
    run_at: str


def common(filled: SubmittedView) -> CommonFields:
    """Parse the shared fields; a field that the form doesn't have is empty."""
    return CommonFields(
        channel=_Carried.model_validate(filled.carried).channel,
        group=filled.option(GROUP_BLOCK),
        numbers=filled.text(NUMBERS_BLOCK),
        file=filled.file(FILE_BLOCK),
        reason=filled.text(REASON_BLOCK).strip(),
        run_at=filled.text(RUN_AT_BLOCK).strip(),
    )
