"""The message that a shortcut is used on: its texts and files, and those of a message that it forwards."""

from collections.abc import Iterator
from typing import Any

from handlers.payloads import Payload
from handlers.views.submitted_view import UploadedFile


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
