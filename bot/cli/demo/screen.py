"""What the tour prints: people's actions, and Slack's messages as a person reads them."""

import html
import re
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from sandbox.slack.workspace import Message, Seed, SlackView

_DATE = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
_LINK = re.compile(r"<https?:[^|>]*\|([^>]*)>")
_QUOTE = re.compile(r"^>", re.MULTILINE)


class Screen:
    """Prints the tour.

    Args:
        console: the terminal.
        seed: the people and channels of the workspace, for their names.
    """

    def __init__(self, console: Console, seed: Seed) -> None:
        self._console = console
        self._names = {user.id: user.real_name for user in seed.users}
        self._marks = {f"<@{user.id}>": f"@{user.name}" for user in seed.users}
        self._marks |= {f"<#{channel.id}>": f"#{channel.name}" for channel in seed.channels}

    def chapter(self, title: str, about: str) -> None:
        """Print the title of a scene, and a sentence about it."""
        self._console.print()
        self._console.rule(Text(title, "bold"))
        self._console.print(Text(about, "italic"))

    def action(self, user: str, verb: str, what: str) -> None:
        """Print what a person does: types a command, clicks a button."""
        self._console.print(Text.assemble((self._names[user], "bold"), f" {verb} ", (what, "cyan")))

    def ephemeral(self, user: str, message: Message, seconds: float) -> None:
        """Print a message that only one person sees, with the seconds until its acknowledgement."""
        title = f"Only visible to {self._names[user]} · {seconds * 1000:.0f} ms"
        self._console.print(Panel(Text(self._text_of(message)), title=title, title_align="left", border_style="dim"))

    def message(self, message: Message) -> None:
        """Print a message of the channel."""
        self._console.print(Panel(Text(self._text_of(message)), title="#launch", title_align="left"))

    def modal(self, view: SlackView) -> None:
        """Print a modal, its buttons last."""
        buttons = "  ".join(f"[ {view.body[name]['text']} ]" for name in ("submit", "close") if view.body.get(name))
        text = Text(f"{self._text_of(view.body)}\n{buttons}")
        self._console.print(Panel(text, title=view.body["title"]["text"], title_align="left", border_style="cyan"))

    def panel(self, title: str, text: str) -> None:
        """Print a text that isn't a message."""
        self._console.print(Panel(Text(text), title=title))

    def success(self, text: str) -> None:
        """Print a final sentence."""
        self._console.print(Text(text, "green"))

    def plain(self, text: str) -> None:
        """Print text to copy, unchanged and without wrapping."""
        self._console.print(text, soft_wrap=True, markup=False, highlight=False)

    def _text_of(self, message: Message) -> str:
        lines = [line for block in message.get("blocks", []) for line in _lines(block)]
        text = "\n".join(lines) or str(message["text"])
        for mark, name in self._marks.items():
            text = text.replace(mark, name)
        text = _QUOTE.sub("│ ", _LINK.sub(r"\1", _DATE.sub(r"\1", text)))
        return html.unescape(text.replace("*", "").replace("`", ""))


def _lines(block: dict[str, Any]) -> list[str]:
    match block["type"]:
        case "section":
            return [block["text"]["text"]]
        case "context":
            return [element["text"] for element in block["elements"]]
        case "actions":
            return ["  ".join(f"[ {element['text']['text']} ]" for element in block["elements"])]
        case _:
            return []
