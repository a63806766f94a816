"""A message: its blocks, and the same in plain text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import Block, ContextBlock, MarkdownTextObject, SectionBlock

MAX_SECTION_TEXT = 3000
"""Characters in a section's text (docs.slack.dev, "Section block")."""


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
