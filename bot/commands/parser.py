"""The grammar of typed commands: `<group> <participants…> [name: value …] [reason: …]`, as `commands` declares them."""

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
"""A word and a colon that no number follows, as one would a name, nor the rest of an address: an option misspelt."""
_LETTER = re.compile(r"[^\W\d_]")
_BEFORE_A_NUMBER = re.compile(r"\d+\s+(?:[+＋]|<tel:)", re.IGNORECASE)
"""Digits that are no part of the number behind them: `2027 +1 415 555 0100`."""
_EDGES = " \t\r\n,"
"""What may stand around a value and is no part of it."""
_NO_GROUP = "The group is missing."


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """What was typed after the command's name.

    Attributes:
        group: the group as the person called it; empty where the command begins with none.
        rest: what follows before the first option, as Slack sent it: raw text for `roster.parse`, or `plain` makes it
            what the person typed.
        options: by name, as the person typed them.
        connection: the connection's name that stood before that of a new group; empty where none did.
        lines: on which line of all that was typed each option's value begins; that of `rest` under the empty name.
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
        """Give an option; empty where it was not typed."""
        return self.options.get(name, "")

    def line_of(self, name: str = "") -> int:
        """Give the line on which an option's value begins, or `rest`."""
        return self.lines.get(name, 1)


@dataclass(frozen=True, slots=True)
class UsageError:
    """What was typed cannot be read; `message` says what is missing."""

    message: str


def parse(command: Command, text: str) -> ParsedCommand | UsageError:
    """Read what was typed after a command's name. Slack turns `"` into typographic quotes: both count.

    What is typed comes as the person typed it: Slack's escaping and its automatic links are undone.
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
            return UsageError(
                f"“{stray}” stands between the name and the numbers. A name with spaces goes in quotes: "
                f"“{second[0]} {stray}”."
            )
        begun = ParsedCommand(second[0], second[1], connection=first[0])
    else:
        begun = ParsedCommand(*first)
    if not begun.group:
        return UsageError(_NO_GROUP)
    if command.free_text and not marks.match(begun.rest.lstrip()):
        return _free_text(command, begun, marks)
    line = 1 + whole.count("\n", 0, len(whole.rstrip()) - len(begun.rest))
    return _read_rest(command, begun, marks, line)


def _free_text(command: Command, begun: ParsedCommand, marks: re.Pattern[str]) -> ParsedCommand | UsageError:
    """Take all the rest for one text. An option in it is refused: whether it is one, or a word, cannot be told."""
    text = begun.rest.strip()
    lead = _NAMED.match(text)
    if lead and (error := _misspelt(command, lead[0])):
        return error
    if option := marks.search(text):
        name = option[1].casefold()
        return UsageError(
            f"`{name}:` stands inside the text, and nothing was sent. An option goes before `text:`; what follows "
            f"`text:` is sent as it is, “{name}:” too."
        )
    return replace(begun, rest=text)


def _read_rest(
    command: Command, begun: ParsedCommand, marks: re.Pattern[str], line: int = 1
) -> ParsedCommand | UsageError:
    """Take the options out of the rest of a text, which begins on this line of all that was typed."""
    mark = marks.search(begun.rest)
    rest = (begun.rest[: mark.start()] if mark else begun.rest).strip(_EDGES)  # a semicolon may end &gt;
    found = list(_values(begun.rest, marks, command.options))
    names = [option.name for option, *_ in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        return UsageError(f"`{twice}:` is there twice.")
    for part in (rest, *(value for option, value, _ in found if not option.to_end)):
        if error := _misspelt(command, part):
            return error
    options = {option.name: _unquoted(option, value) for option, value, _ in found}
    places = {"": _inner(begun.rest, 0), **{option.name: place for option, _, place in found}}
    lines = {name: line + begun.rest.count("\n", 0, place) for name, place in places.items()}
    return replace(begun, rest=rest, options=options, lines=lines)


def _inner(text: str, begin: int) -> int:
    """Give where a text begins behind this place, without what is cut off its edges."""
    return len(text) - len(text[begin:].lstrip(_EDGES))


def _first_name(text: str) -> tuple[str, str] | UsageError:
    """Split off a name, a word or a quoted one, from what follows; an apostrophe inside a word ends no quote."""
    text = text.lstrip()
    if text and (closing := _CLOSING_QUOTES.get(text[0])):
        end = re.compile(rf"[{closing}](?![^\W\d_])").search(text, 1)
        if end is None:
            return UsageError("The group's name begins with a quote that does not end.")
        return typed_text(text[1 : end.start()]), text[end.end() :]
    word = _WORD.match(text)
    if word is None or _NUMBER.match(word[0]):
        return UsageError("The group is missing: name it before the numbers.")
    return typed_text(word[0].rstrip(",")), text[word.end() :]


def _second_name(text: str, marks: re.Pattern[str]) -> tuple[str, str] | UsageError | None:
    """Split off the name that follows a connection's; None where numbers or options follow, so that there was none."""
    text = text.lstrip(" \t\r\n,")
    word = _WORD.match(text)
    if word is None or marks.match(text) or (not _is_quoted(text) and _NUMBER.match(word[0])):
        return None
    return _first_name(text)


def _stray_word(text: str, marks: re.Pattern[str]) -> str:
    """Give the word that follows a name without quotes where a number has to: it may be the name's; empty for none."""
    text = text.lstrip(" \t\r\n,")
    word = _WORD.match(text)
    if word is None or marks.match(text) or _NUMBER.match(word[0]):
        return ""
    return typed_text(word[0]) if _LETTER.search(word[0]) or _BEFORE_A_NUMBER.match(text) else ""


def _is_quoted(text: str) -> bool:
    """Tell whether a text begins with a quote of any kind."""
    return text.lstrip()[:1] in _CLOSING_QUOTES


def typed_text(text: str) -> str:
    """Give what a person typed, without what Slack made of it."""
    return unescape_entities(without_slack_links(text)).strip()


def unquoted(text: str) -> str:
    """Give what a person typed as one name, without the quotes around it."""
    text = typed_text(text)
    return text[1:-1].strip() if text and _past_quote(text, 0) == len(text) else text


def _marks(options: Sequence[Option]) -> re.Pattern[str]:
    names = "|".join(option.name for option in options) or r"\b\B"
    return re.compile(rf"(?:^|(?<=[\s,;]))({names})\s?[:：][ \t]*", re.IGNORECASE)


def _by_name(options: Sequence[Option], name: str) -> Option:
    return next(option for option in options if option.name == name)


def _values(text: str, marks: re.Pattern[str], options: Sequence[Option]) -> Iterator[tuple[Option, str, int]]:
    """Give the options of a text, each with its value, in quotes where it was, and where that begins."""
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
    """Give where a quoted value ends; where it begins if it is not quoted, or the quote does not end."""
    closing = _CLOSING_QUOTES.get(text[begin : begin + 1])
    end = re.compile(rf"[{closing}](?=[\s,;]|\Z)").search(text, begin + 1) if closing else None
    return end.end() if end else begin


def _unquoted(option: Option, value: str) -> str:
    if option.raw:
        return value
    whole = not option.to_end and bool(value) and _past_quote(value, 0) == len(value)
    return typed_text(value[1:-1] if whole else value)


def _misspelt(command: Command, text: str) -> UsageError | None:
    """Find a word with a colon that looks like an option of the command: taken as text, it would be lost silently."""
    if _is_quoted(text):
        return None
    names = [option.name for option in command.options]
    for word in _NAMED.finditer(text):
        if near := did_you_mean(word[1], names, alike=0.7, then=":"):
            return UsageError(f"There is no “{word[1]}:” here.{near}")
    return None
