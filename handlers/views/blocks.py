"""A message: its blocks, and the same in plain text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
"""Characters in a button's `accessibility_label` (docs.slack.dev, "Button element")."""
MAX_SECTION_TEXT = 3000
"""Characters in a section's text (docs.slack.dev, "Section block")."""
_MAX_TITLE = 100
_MAX_QUESTION = 300


@dataclass(frozen=True, slots=True)
class Message:
    """What `chat.postMessage` takes.

    Attributes:
        text: all that the message says: notifications show it, and screen readers read it and not the blocks
            (docs.slack.dev, chat.postMessage, "Accessibility considerations").
        blocks: what is seen.
    """

    text: str
    blocks: list[dict[str, Any]]


def message(text: Iterable[str], blocks: Iterable[Block]) -> Message:
    """Make a message of lines of text and of Block Kit models."""
    return Message("\n".join(text), [block.to_dict() for block in blocks])


def sections(lines: Sequence[str]) -> list[Block]:
    """Set lines, each shorter than a section's limit, into as few sections as hold them."""
    texts: list[str] = []
    for line in lines:
        if texts and len(texts[-1]) + 1 + len(line) <= MAX_SECTION_TEXT:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    return [SectionBlock(text=MarkdownTextObject(text=text, verbatim=True)) for text in texts]


def context(text: str) -> ContextBlock:
    """Set a line of small print."""
    return ContextBlock(elements=[MarkdownTextObject(text=text, verbatim=True)])


def value_button(label: str, action_id: str, carried: Payload, of: str) -> ButtonElement:
    """Make a button that carries where it leads; a screen reader says the label and `of` what it is."""
    value, heard = carried.model_dump_json(exclude_none=True), shorten(f"{label} {of}", MAX_LABEL)
    return ButtonElement(text=label, action_id=action_id, value=value, accessibility_label=heard)


def confirmation(title: str, text: str, yes: str, no: str, *, style: str = "danger") -> ConfirmObject:
    """Make the question that Slack asks before it sends a click on."""
    return ConfirmObject(
        title=PlainTextObject(text=shorten(title, _MAX_TITLE)),
        text=PlainTextObject(text=shorten(text, _MAX_QUESTION)),
        confirm=PlainTextObject(text=yes),
        deny=PlainTextObject(text=no),
        style=style,
    )
