"""Messages and their blocks, and the parts that several views share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from handlers.payloads import Payload
from handlers.views.text import shorten

MAX_LABEL = 75
"""Characters of a button's `accessibility_label`, an option's text and its description (docs.slack.dev, "Button
element", "Option object")."""
MAX_SECTION_TEXT = 3000
"""Characters of a section's text (docs.slack.dev, "Section block")."""
_MAX_TITLE = 100
_MAX_QUESTION = 300


@dataclass(frozen=True, slots=True)
class Message:
    """The content of a `chat.postMessage`.

    Attributes:
        text: the whole message in plain text: notifications show it, and screen readers read it instead of the blocks
            (docs.slack.dev, chat.postMessage, "Accessibility considerations").
        blocks: the visible message; empty if the text is all of it.
    """

    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)


def message(text: Iterable[str], blocks: Iterable[Block]) -> Message:
    """Build a message from lines of text and Block Kit models."""
    return Message("\n".join(text), [block.to_dict() for block in blocks])


def sections(lines: Sequence[str]) -> list[Block]:
    """Build as few sections as possible from lines, each shorter than a section's limit."""
    texts: list[str] = []
    for line in lines:
        if texts and len(texts[-1]) + 1 + len(line) <= MAX_SECTION_TEXT:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    return [SectionBlock(text=MarkdownTextObject(text=text, verbatim=True)) for text in texts]


def context(text: str) -> ContextBlock:
    """Build a line of small print."""
    return ContextBlock(elements=[MarkdownTextObject(text=text, verbatim=True)])


def value_button(label: str, action_id: str, carried: Payload, of: str) -> ButtonElement:
    """Build a button that carries a value as JSON; screen readers read the label and `of`."""
    value, spoken = carried.model_dump_json(exclude_none=True), shorten(f"{label} {of}", MAX_LABEL)
    return ButtonElement(text=label, action_id=action_id, value=value, accessibility_label=spoken)


def confirmation(title: str, text: str, yes: str, no: str, *, style: str = "danger") -> ConfirmObject:
    """Build the question that Slack asks before it sends a click."""
    return ConfirmObject(
        title=PlainTextObject(text=shorten(title, _MAX_TITLE)),
        text=PlainTextObject(text=shorten(text, _MAX_QUESTION)),
        confirm=PlainTextObject(text=yes),
        deny=PlainTextObject(text=no),
        style=style,
    )
