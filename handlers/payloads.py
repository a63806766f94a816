"""Slack's payloads. Unknown fields are ignored, and an error never shows what a person typed."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator


class MalformedPayload(Exception):
    """A payload, or what Slack carried in it for us, has another shape. The message names its fields, not their values.

    The signature shows that Slack sent it, not that a client left the values alone.
    """

    @classmethod
    def of(cls, model: type[BaseModel], error: ValidationError) -> Self:
        """Build it from the error of a model."""
        fields = (".".join(map(str, detail["loc"])) for detail in error.errors(include_input=False, include_url=False))
        return cls(f"{model.__name__}: {', '.join(filter(None, fields)) or 'not JSON'}")


class Payload(BaseModel):
    """The base of all models of Slack's payloads. They raise `MalformedPayload` instead of pydantic's error."""

    model_config = ConfigDict(hide_input_in_errors=True)

    @model_validator(mode="wrap")
    @classmethod
    def _validate(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            raise MalformedPayload.of(cls, error) from None

    @classmethod
    def parse_text(cls, text: str) -> Self:
        """Parse JSON that a button or a view carried. Raises `MalformedPayload`."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise MalformedPayload.of(cls, error) from None


class Named(Payload):
    """An object with an id: a person, a channel or a workspace."""

    id: str


class UploadedFile(Payload):
    """A file of a `file_input`; if Slack sends only its id, files.info has the rest."""

    id: str
    name: str = ""
    size: int = 0
    url_private_download: str = ""


class Interaction(Payload):
    """The fields that all interactions have (docs.slack.dev, "Interaction payloads")."""

    user: Named
    team: Named | None = None

    @property
    def team_id(self) -> str:
        """The id of the workspace; empty if the app is installed for a whole organisation."""
        return self.team.id if self.team else ""


class _Option(Payload):
    value: str


class Clicked(Payload):
    """The element that was clicked or chosen from."""

    action_id: str
    block_id: str = ""
    value: str | None = None
    selected_option: _Option | None = None


class _Container(Payload):
    thread_ts: str = ""


class ClickedView(Payload):
    """The modal or Home tab in which something was clicked."""

    id: str
    private_metadata: str = ""


class Click(Interaction):
    """The payload of a `block_actions` (docs.slack.dev, "block_actions payload")."""

    trigger_id: str = ""
    channel: Named | None = None
    container: _Container = _Container()
    view: ClickedView | None = None
    actions: list[Clicked] = Field(min_length=1)

    @property
    def clicked(self) -> Clicked:
        """The element that was clicked: Slack sends one at a time."""
        return self.actions[0]

    @property
    def value(self) -> str:
        """The value of the element, or of the option that was chosen. For most elements it is a request's id."""
        chosen = self.clicked.selected_option
        return chosen.value if chosen else self.clicked.value or ""

    @property
    def channel_id(self) -> str:
        """The channel of the message; empty for a click outside of messages."""
        return self.channel.id if self.channel else ""


class Submission(Interaction):
    """The payload of a `view_submission`, or of a choice in a form. The view's builder parses its values."""

    view: dict[str, Any]
