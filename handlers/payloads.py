"""What Slack sends, read at the border: unknown fields are passed over, and an error never shows what was typed."""

from pydantic import BaseModel, ConfigDict


class Payload(BaseModel):
    """The base of every model of Slack's payloads."""

    model_config = ConfigDict(hide_input_in_errors=True)
