"""What Slack sends, read at the border: unknown fields are passed over, and an error never shows what was typed."""

from pydantic import BaseModel, ConfigDict


class Payload(BaseModel):
    """The base of every model of Slack's payloads."""

    model_config = ConfigDict(hide_input_in_errors=True)


class Named(Payload):
    """What Slack names by its id, among other things: a person, a channel, a workspace, a view."""

    id: str
