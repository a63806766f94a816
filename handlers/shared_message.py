"""A message that a shortcut is used on: the words and the files in it, also where it forwards another one."""

from collections.abc import Iterator
from typing import Any

from handlers.payloads import Payload
from handlers.views.submitted_view import UploadedFile


class _Field(Payload):
    title: str | None = None
    value: str | None = None


class _Attachment(Payload):
    """What hangs on a message: another message that is forwarded, a bot's card, the preview of a link.

    (docs.slack.dev, "Legacy: secondary message attachments"; what tells them apart, the SDKs' types of
    conversations.history name.)
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
        """Whether it shows what stands behind a link, which nobody wrote here."""
        return bool(self.from_url) and not (self.is_msg_unfurl or self.is_share)

    @property
    def words(self) -> list[str]:
        fields = [words for field in self.fields for words in (field.title, field.value)]
        said = [words for words in (self.pretext, self.title, self.text, *fields) if words]
        return said or ([self.fallback] if self.fallback else [])


class SharedMessage(Payload):
    """The `message` of a `message_action` (docs.slack.dev, "Shortcuts interaction payload")."""

    text: str | None = None
    bot_id: str | None = None
    blocks: tuple[dict[str, Any], ...] = ()
    files: tuple[UploadedFile, ...] = ()
    attachments: tuple[_Attachment, ...] = ()

    @property
    def words(self) -> list[str]:
        """All that is said in it, part by part. What a person wrote stands in `text`; a bot may say more in blocks."""
        said = [self.text] if self.text else []
        if self.bot_id:
            said += _texts(self.blocks)
        return said + [words for attachment in self._shared for words in attachment.words]

    @property
    def all_files(self) -> tuple[UploadedFile, ...]:
        """Its files, and those of what it forwards."""
        return (*self.files, *(file for attachment in self._shared for file in attachment.files))

    @property
    def _shared(self) -> list[_Attachment]:
        return [attachment for attachment in self.attachments if not attachment.is_preview]


def _texts(part: Any) -> Iterator[str]:
    """Give the texts of blocks, whatever their type."""
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
