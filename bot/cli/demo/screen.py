"""What the tour prints: who does what, and the messages of Slack as a person reads them."""

import html
import re
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from sandbox.slack.seed import Seed
from sandbox.slack.workspace import Message, View

_DATE = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
_LINK = re.compile(r"<https?:[^|>]*\|([^>]*)>")
_QUOTE = re.compile(r"^>", re.MULTILINE)


class Screen:
    """Prints the tour.

    Args:
        console: where to.
        seed: the people and channels of the workspace, to name them.
    """

    def __init__(self, console: Console, seed: Seed) -> None:
        self._console = console
        self._names = {user.id: user.real_name for user in seed.users}
        self._marks = {f"<@{user.id}>": f"@{user.name}" for user in seed.users}
        self._marks |= {f"<#{channel.id}>": f"#{channel.name}" for channel in seed.channels}

    def chapter(self, title: str, about: str) -> None:
        """Begin a scene: its title, and a sentence on what is to be seen."""
        self._console.print()
        self._console.rule(Text(title, "bold"))
        self._console.print(Text(about, "italic"))

    def does(self, user: str, verb: str, what: str) -> None:
        """Say what a person does: types a command, clicks a button."""
        self._console.print(Text.assemble((self._names[user], "bold"), f" {verb} ", (what, "cyan")))

    def told(self, user: str, message: Message, seconds: float) -> None:
        """Show what a person is told and nobody else sees, and how soon."""
        title = f"only {self._names[user]} sees this, after {seconds * 1000:.0f} ms"
        self._console.print(Panel(Text(self._read(message)), title=title, title_align="left", border_style="dim"))

    def posted(self, message: Message) -> None:
        """Show a message of the channel."""
        self._console.print(Panel(Text(self._read(message)), title="#launch", title_align="left"))

    def form(self, view: View) -> None:
        """Show a modal, its buttons last."""
        buttons = "  ".join(f"[ {view.body[name]['text']} ]" for name in ("submit", "close") if view.body.get(name))
        text = Text(f"{self._read(view.body)}\n{buttons}")
        self._console.print(Panel(text, title=view.body["title"]["text"], title_align="left", border_style="cyan"))

    def panel(self, title: str, text: str) -> None:
        """Show something that is no message."""
        self._console.print(Panel(Text(text), title=title))

    def ends(self, text: str) -> None:
        """Say a last word."""
        self._console.print(Text(text, "green"))

    def copied(self, text: str) -> None:
        """Print what is to be copied: as it is, each line whole."""
        self._console.print(text, soft_wrap=True, markup=False, highlight=False)

    def _read(self, message: Message) -> str:
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
