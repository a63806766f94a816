"""What Slack sends, read at the border: unknown fields are passed over, and an error never shows what was typed."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Payload(BaseModel):
    """The base of every model of Slack's payloads."""

    model_config = ConfigDict(hide_input_in_errors=True)


class Named(Payload):
    """Whatever has an id: a person, a channel, a workspace."""

    id: str


class Interaction(Payload):
    """What all payloads of people's clicks have in common (docs.slack.dev, "Interaction payloads")."""

    user: Named
    team: Named | None = None

    @property
    def team_id(self) -> str:
        """The id of the workspace; empty where the app is installed for a whole organisation."""
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
    """The payload of a `block_actions`, wherever the element stands (docs.slack.dev, "block_actions payload")."""

    trigger_id: str = ""
    channel: Named | None = None
    container: _Container = _Container()
    view: ClickedView | None = None
    actions: list[Clicked] = Field(min_length=1)

    @property
    def clicked(self) -> Clicked:
        """The element that was clicked: Slack tells of one at a time."""
        return self.actions[0]

    @property
    def value(self) -> str:
        """What the element carries, or the option that was chosen: for most the id of a request."""
        chosen = self.clicked.selected_option
        return chosen.value if chosen else self.clicked.value or ""

    @property
    def place(self) -> str:
        """The channel of the message; empty where it was no message, or Slack names none."""
        return self.channel.id if self.channel else ""


class Submission(Interaction):
    """The payload of a `view_submission`, and of a choice in a form; what the view holds is read by its builder."""

    view: dict[str, Any]
