"""What the declaration of a slash command says."""

from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.access import Capability
from providers.base import Action


class FirstArgument(StrEnum):
    """What a command's text begins with."""

    GROUP = "group"
    NEW_GROUP = "new group"
    ANYTHING = "anything"


@dataclass(frozen=True, slots=True)
class Option:
    """A named part of a command: `reason: …`.

    Attributes:
        name: the word before the colon.
        value: what comes after it, as the usage shows it.
        says: what it is for.
        to_end: it takes everything to the end of the text, whatever that looks like.
        raw: it is kept as Slack sent it, for what reads Slack's own markup: people.
        required: the usage shows it without brackets.
    """

    name: str
    value: str
    description: str
    to_end: bool = False
    raw: bool = False
    required: bool = False

    @property
    def syntax(self) -> str:
        """How it is written."""
        written = f"{self.name}: {self.value}"
        return written if self.required else f"[{written}]"


@dataclass(frozen=True, slots=True)
class Usage:
    """One way of using a command.

    Attributes:
        arguments: what stands in its place, as the usage shows it.
        options: what has a name.
        says: what it does.
        needs: what the person must be allowed: actions as their provider asks for them, or a capability of Rollcall's;
            the first is what it is for, the others go with it.
        any_need: each of `needs` is something that it is for, and one is enough.
    """

    description: str
    arguments: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    needs: tuple[Action | Capability, ...] = ()
    needs_any: bool = False

    @property
    def syntax(self) -> str:
        """Everything that follows the command's name; empty where nothing does."""
        return " ".join((*self.arguments, *(option.syntax for option in self.options)))


@dataclass(frozen=True, slots=True)
class Command:
    """A command.

    Attributes:
        verb: the word after `/wa`; empty for `/wa` itself.
        summary: what it does, in the words that Slack shows.
        forms: the ways of using it.
        examples: whole commands that can be typed.
        alone: what it does without arguments.
        begin: what its text begins with.
        opens_form: without arguments a form is opened.
        free_text: what follows the group is one text, unless it begins with an option.
        escaped: Slack sends mentions of people and user groups as ids (`should_escape` of the manifest).
        notes: what else is to be known, sentence by sentence.
    """

    verb: str
    summary: str
    usages: tuple[Usage, ...]
    examples: tuple[str, ...]
    without_arguments: str = "opens a form"
    first_argument: FirstArgument = FirstArgument.GROUP
    opens_form: bool = True
    free_text: bool = False
    escapes_mentions: bool = False
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def name(self) -> str:
        """What is typed in Slack: `/wa-add`."""
        return f"/wa-{self.verb}" if self.verb else "/wa"

    @property
    def usage_lines(self) -> tuple[str, ...]:
        """The whole command for each form."""
        return tuple(f"{self.name} {form.syntax}".rstrip() for form in self.usages)

    @property
    def usage_hint(self) -> str:
        """What Slack shows behind the name while somebody types."""
        return " | ".join(form.syntax for form in self.usages if form.syntax)

    @property
    def primary_actions(self) -> tuple[Action, ...]:
        """The actions that it is for: whoever may do one of them can make use of it."""
        needs = [need for form in self.usages for need in (form.needs if form.needs_any else form.needs[:1])]
        return tuple(dict.fromkeys(need for need in needs if isinstance(need, Action)))

    @property
    def options(self) -> tuple[Option, ...]:
        """The options of all forms, each once."""
        return tuple({option.name: option for form in self.usages for option in form.options}.values())
