"""The grammar of typed commands: `<group> <participants…> [name: value …] [reason: …]`, by their declaration."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.commands.usage import Command, FirstArgument, Option
from bot.commands.values import did_you_mean
from bot.domain.entries import unescape_entities, without_slack_links

_CLOSING_QUOTES = {**dict.fromkeys('"“”„«»＂', '"“”«»＂'), **dict.fromkeys("'‘’", "'‘’")}
_WORD = re.compile(r"<[^<>]*>,?|\S+")
_NUMBER = re.compile(
    r"""
    <tel: | tel: | [+＋] | \(\d
  | 0\d                                          # no provider's group id begins with a zero
  | \d[\d().-]*[,;]                              # an item of a list
  | \d[\d.-]*[().-][\d().-]{4,}$                # 415-555-0100; digits alone may be a group's id
  | <?(?:https?://)?(?:www\.)?wa\.me/
  | (?:<mailto:)?\d+(?::\d+)?@(?:s\.whatsapp\.net|c\.us|lid)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NAMED = re.compile(r"(?:^|(?<=[\s,;]))([A-Za-z]{2,20})\s?[:：](?!\s*(?:[+＋(<]|\d(?!\d{3}-\d{1,2}-)|//))")
"""A word and a colon without a number or an address after it: perhaps a misspelt option."""
_LETTER = re.compile(r"[^\W\d_]")
_BEFORE_A_NUMBER = re.compile(r"\d+\s+(?:[+＋]|<tel:)", re.IGNORECASE)
"""Digits that aren't part of the number after them: `2027 +1 415 555 0100`."""
_EDGES = " \t\r\n,"
"""Characters around a value that aren't part of it."""
_NO_GROUP = "The group is missing."


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """The text after the command's name, parsed.

    Attributes:
        group: the group's name as typed; empty if the command begins with none.
        rest: the text before the first option, as Slack sent it, for `roster.parse`; `rest_text` is the typed text.
        options: the options by name, as typed.
        connection: the connection's name before that of a new group; empty if there was none.
        lines: the line on which each option's value begins; that of `rest` under the empty name.
    """

    group: str
    rest: str
    options: Mapping[str, str] = field(default_factory=dict)
    connection: str = ""
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)

    @property
    def rest_text(self) -> str:
        """`rest` as the person typed it."""
        return typed_text(self.rest)

    def option(self, name: str) -> str:
        """Return the value of an option; empty if it wasn't typed."""
        return self.options.get(name, "")

    def line_of(self, name: str = "") -> int:
        """Return the line on which the value of an option begins, or `rest` without a name."""
        return self.lines.get(name, 1)


@dataclass(frozen=True, slots=True)
class UsageError:
    """A text that can't be parsed; `message` says what is wrong."""

    message: str


def parse(command: Command, text: str) -> ParsedCommand | UsageError:
    """Parse the text after a command's name. Slack turns `"` into typographic quotes: both count.

    Values are returned as typed: Slack's escaping and its automatic links are undone.
    """
    whole, text, marks = text, text.strip(), _marks(command.options)
    if command.first_argument is FirstArgument.ANYTHING:
        return _read_rest(command, ParsedCommand("", text), marks)
    if not text or marks.match(text):
        return UsageError(_NO_GROUP)
    first = _first_name(text)
    if isinstance(first, UsageError):
        return first
    if (
        command.first_argument is FirstArgument.NEW_GROUP
        and not _is_quoted(text)
        and (second := _second_name(first[1], marks))
    ):
        if isinstance(second, UsageError):
            return second
        if not _is_quoted(first[1].lstrip(" \t\r\n,")) and (stray := _stray_word(second[1], marks)):
            quoted = f"“{second[0]} {stray}”"
            return UsageError(
                f"“{stray}” is between the name and the numbers. Put a name with spaces in quotes: {quoted}."
            )
        parsed = ParsedCommand(second[0], second[1], connection=first[0])
    else:
        parsed = ParsedCommand(*first)
    if not parsed.group:
        return UsageError(_NO_GROUP)
    if command.free_text and not marks.match(parsed.rest.lstrip()):
        return _free_text(command, parsed, marks)
    line = 1 + whole.count("\n", 0, len(whole.rstrip()) - len(parsed.rest))
    return _read_rest(command, parsed, marks, line)


def _free_text(command: Command, parsed: ParsedCommand, marks: re.Pattern[str]) -> ParsedCommand | UsageError:
    """Take the whole rest as one text. An option in it is refused, because it might be an ordinary word."""
    text = parsed.rest.strip()
    lead = _NAMED.match(text)
    if lead and (error := _misspelt(command, lead[0])):
        return error
    if option := marks.search(text):
        name = option[1].casefold()
        return UsageError(
            f"`{name}:` is inside the text, so nothing was sent. Put options before `text:`. Everything after `text:` "
            f"is sent as it is, including “{name}:”."
        )
    return replace(parsed, rest=text)


def _read_rest(
    command: Command, parsed: ParsedCommand, marks: re.Pattern[str], line: int = 1
) -> ParsedCommand | UsageError:
    """Split the rest of a text into the part before the first option, and the options. It begins on this line."""
    mark = marks.search(parsed.rest)
    rest = (parsed.rest[: mark.start()] if mark else parsed.rest).strip(_EDGES)  # a semicolon may end &gt;
    values = list(_values(parsed.rest, marks, command.options))
    names = [option.name for option, *_ in values]
    if twice := next((name for name in names if names.count(name) > 1), None):
        return UsageError(f"`{twice}:` is given twice.")
    for part in (rest, *(value for option, value, _ in values if not option.to_end)):
        if error := _misspelt(command, part):
            return error
    options = {option.name: _unquoted(option, value) for option, value, _ in values}
    places = {"": _inner(parsed.rest, 0), **{option.name: place for option, _, place in values}}
    lines = {name: line + parsed.rest.count("\n", 0, place) for name, place in places.items()}
    return replace(parsed, rest=rest, options=options, lines=lines)


def _inner(text: str, begin: int) -> int:
    """Return where a text begins after this index, without its edges."""
    return len(text) - len(text[begin:].lstrip(_EDGES))


def _first_name(text: str) -> tuple[str, str] | UsageError:
    """Split off a name: a word or a quoted text. An apostrophe inside a word ends no quote."""
    text = text.lstrip()
    if text and (closing := _CLOSING_QUOTES.get(text[0])):
        end = re.compile(rf"[{closing}](?![^\W\d_])").search(text, 1)
        if end is None:
            return UsageError("The group's name has an opening quote without a closing one.")
        return typed_text(text[1 : end.start()]), text[end.end() :]
    word = _WORD.match(text)
    if word is None or _NUMBER.match(word[0]):
        return UsageError("The group is missing. Name it before the numbers.")
    return typed_text(word[0].rstrip(",")), text[word.end() :]


def _second_name(text: str, marks: re.Pattern[str]) -> tuple[str, str] | UsageError | None:
    """Split off the name after a connection's; None if numbers or options follow, so that there is no second name."""
    text = text.lstrip(" \t\r\n,")
    word = _WORD.match(text)
    if word is None or marks.match(text) or (not _is_quoted(text) and _NUMBER.match(word[0])):
        return None
    return _first_name(text)


def _stray_word(text: str, marks: re.Pattern[str]) -> str:
    """Return the word between an unquoted name and the numbers, which may belong to the name; empty if none."""
    text = text.lstrip(" \t\r\n,")
    word = _WORD.match(text)
    if word is None or marks.match(text) or _NUMBER.match(word[0]):
        return ""
    return typed_text(word[0]) if _LETTER.search(word[0]) or _BEFORE_A_NUMBER.match(text) else ""


def _is_quoted(text: str) -> bool:
    """Return whether a text begins with a quote of any kind."""
    return text.lstrip()[:1] in _CLOSING_QUOTES


def typed_text(text: str) -> str:
    """Return a text as typed, without Slack's escaping and links."""
    return unescape_entities(without_slack_links(text)).strip()


def unquoted(text: str) -> str:
    """Return a typed name without the quotes around it."""
    text = typed_text(text)
    return text[1:-1].strip() if text and _past_quote(text, 0) == len(text) else text


def _marks(options: Sequence[Option]) -> re.Pattern[str]:
    names = "|".join(option.name for option in options) or r"\b\B"
    return re.compile(rf"(?:^|(?<=[\s,;]))({names})\s?[:：][ \t]*", re.IGNORECASE)


def _by_name(options: Sequence[Option], name: str) -> Option:
    return next(option for option in options if option.name == name)


def _values(text: str, marks: re.Pattern[str], options: Sequence[Option]) -> Iterator[tuple[Option, str, int]]:
    """Yield the options of a text, each with its value, still quoted, and the index at which that begins."""
    mark = marks.search(text)
    while mark:
        option, begin = _by_name(options, mark[1].casefold()), mark.end()
        if option.to_end:
            yield option, text[begin:].strip(), _inner(text, begin)
            return
        following = marks.search(text, _past_quote(text, begin))
        value = text[begin : following.start() if following else len(text)].strip(f"{_EDGES}|")
        yield option, value, _inner(text, begin)
        mark = following


def _past_quote(text: str, begin: int) -> int:
    """Return the end of a quoted value; its start if it isn't quoted, or the quote has no end."""
    closing = _CLOSING_QUOTES.get(text[begin : begin + 1])
    end = re.compile(rf"[{closing}](?=[\s,;]|\Z)").search(text, begin + 1) if closing else None
    return end.end() if end else begin


def _unquoted(option: Option, value: str) -> str:
    if option.raw:
        return value
    whole = not option.to_end and bool(value) and _past_quote(value, 0) == len(value)
    return typed_text(value[1:-1] if whole else value)


def _misspelt(command: Command, text: str) -> UsageError | None:
    """Return the error of a misspelt option: taken as text, it would be lost silently."""
    if _is_quoted(text):
        return None
    names = [option.name for option in command.options]
    for word in _NAMED.finditer(text):
        if near := did_you_mean(word[1], names, alike=0.7, then=":"):
            return UsageError(f"There's no option “{word[1]}:”.{near}")
    return None
