"""The declaration of a slash command."""

from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.access import Capability
from providers.base import Action


class FirstArgument(StrEnum):
    """The first argument of a command."""

    GROUP = "group"
    NEW_GROUP = "new group"
    ANYTHING = "anything"


@dataclass(frozen=True, slots=True)
class Option:
    """A named part of a command: `reason: …`.

    Attributes:
        name: the word before the colon.
        value: its value, as the usage shows it.
        description: what it is for.
        to_end: whether it takes everything to the end of the text.
        raw: whether it stays as Slack sent it, for a parser that reads Slack's own markup.
        required: whether the usage shows it without brackets.
    """

    name: str
    value: str
    description: str
    to_end: bool = False
    raw: bool = False
    required: bool = False

    @property
    def syntax(self) -> str:
        """The option as the usage shows it."""
        syntax = f"{self.name}: {self.value}"
        return syntax if self.required else f"[{syntax}]"


@dataclass(frozen=True, slots=True)
class Usage:
    """One way of using a command.

    Attributes:
        description: what it does.
        arguments: the positional arguments, as the usage shows them.
        options: the named arguments.
        needs: the permissions that it needs: actions of the provider, or a capability of Rollcall. The first one is its
            purpose.
        needs_any: whether each of `needs` is a purpose of its own, so that one is enough.
    """

    description: str
    arguments: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    needs: tuple[Action | Capability, ...] = ()
    needs_any: bool = False

    @property
    def syntax(self) -> str:
        """Everything after the command's name; may be empty."""
        return " ".join((*self.arguments, *(option.syntax for option in self.options)))


@dataclass(frozen=True, slots=True)
class Command:
    """A command.

    Attributes:
        verb: the word after `/wa`; empty for `/wa` itself.
        summary: what it does, as Slack shows it.
        usages: the ways of using it.
        examples: complete commands.
        without_arguments: what it does without arguments.
        first_argument: what its text begins with.
        opens_form: whether it opens a form without arguments.
        free_text: whether everything after the group is one text, unless it begins with an option.
        escapes_mentions: whether Slack sends mentions of people and user groups as ids (`should_escape` of the
            manifest).
        notes: more sentences for its help.
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
        """The command as typed in Slack: `/wa-add`."""
        return f"/wa-{self.verb}" if self.verb else "/wa"

    @property
    def usage_lines(self) -> tuple[str, ...]:
        """The complete command of each usage."""
        return tuple(f"{self.name} {usage.syntax}".rstrip() for usage in self.usages)

    @property
    def usage_hint(self) -> str:
        """The hint that Slack shows after the name while a person types."""
        return " | ".join(usage.syntax for usage in self.usages if usage.syntax)

    @property
    def primary_actions(self) -> tuple[Action, ...]:
        """The actions that are its purposes: a person with permission for one of them can use it."""
        needs = [need for usage in self.usages for need in (usage.needs if usage.needs_any else usage.needs[:1])]
        return tuple(dict.fromkeys(need for need in needs if isinstance(need, Action)))

    @property
    def options(self) -> tuple[Option, ...]:
        """The options of all usages, each once."""
        return tuple({option.name: option for usage in self.usages for option in usage.options}.values())
