import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.commands.catalogue import ADD, AUDIT, COMMANDS, CREATE, SEND, SETTINGS
from bot.commands.parser import ParsedCommand, UsageError, parse, typed_text, unquoted
from bot.commands.usage import Command

INSIDE = (
    "`{}:` is inside the text, so nothing was sent. Put options before `text:`. Everything after `text:` is sent as it "
    "is, including “{}:”."
)
STRAY = "“{}” is between the name and the numbers. Put a name with spaces in quotes: “{}”."


def add(group: str, participants: str, reason: str | None = None) -> ParsedCommand:
    return ParsedCommand(group, participants, {} if reason is None else {"reason": reason})


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("launch-team +1 415 555 0100", add("launch-team", "+1 415 555 0100")),
        ("  launch-team   +1, +44  ", add("launch-team", "+1, +44")),
        ("launch-team\t+1 415", add("launch-team", "+1 415")),
        ("launch-team\n+1\n+44", add("launch-team", "+1\n+44")),
        ("launch-team, +1", add("launch-team", "+1")),
        ('"Launch team" +1', add("Launch team", "+1")),
        ("“Launch team” +1", add("Launch team", "+1")),
        ('“Launch team" +1', add("Launch team", "+1")),
        ("”Launch team” +1", add("Launch team", "+1")),
        ("„Launch team“ +1", add("Launch team", "+1")),
        ("«Launch team» +1", add("Launch team", "+1")),
        ("‘Launch team’ +1", add("Launch team", "+1")),
        ("'Ann's team' +1", add("Ann's team", "+1")),
        ("“Ann’s team” +1", add("Ann’s team", "+1")),
        ('"Launch team"+1', add("Launch team", "+1")),
        ('"Launch team"4155550100', add("Launch team", "4155550100")),
        ('"+1 club" +44', add("+1 club", "+44")),
        ('"reason: x" +44', add("reason: x", "+44")),
        ("120363041234567890@g.us +1", add("120363041234567890@g.us", "+1")),
        ("14155550100-1612345678@g.us +1", add("14155550100-1612345678@g.us", "+1")),
        ("<mailto:12036@g.us|12036@g.us> +1", add("12036@g.us", "+1")),
        ("WAG62598186-d2bd-4946-86c6-30f8a3c849c6 +1", add("WAG62598186-d2bd-4946-86c6-30f8a3c849c6", "+1")),
        ("42 +1", add("42", "+1")),
        ("120363041234567890 +1", add("120363041234567890", "+1")),
        ("R&amp;D &lt;tel:&gt;", add("R&D", "&lt;tel:&gt;")),
        ("Q&amp; Ann &lt;+1&gt; reason: x", add("Q&", "Ann &lt;+1&gt;", "x")),
        ("&amp;lt; +1", add("&lt;", "+1")),
        ("team <tel:+1415|+1 415>", add("team", "<tel:+1415|+1 415>")),
        ("team +1 reason: new in R&amp;D", add("team", "+1", "new in R&D")),
        ("team +1, REASON:new\nsecond line", add("team", "+1", "new\nsecond line")),
        ("team +1 reason : why", add("team", "+1", "why")),
        ("team +1;reason: why", add("team", "+1;", "why")),
        ("team +1 reason: a reason: b", add("team", "+1", "a reason: b")),
        ("team +1 reason:", add("team", "+1", "")),
        ("team +1 reason: see <https://example.com/1>", add("team", "+1", "see https://example.com/1")),
    ],
)
def test_group_participants_and_reason_are_split(text: str, typed: ParsedCommand) -> None:
    assert parse(ADD, text) == typed


@pytest.mark.parametrize("text", ["", "   ", "reason: because", '"" +1', "“ ” +1", ", +1"])
def test_without_a_group_it_says_so(text: str) -> None:
    assert parse(ADD, text) == UsageError("The group is missing.")


@pytest.mark.parametrize(
    "text",
    [
        "+1 415 555 0100, +44 7700 900123",
        "+14155550100",
        "＋14155550100",
        "<tel:+14155550100|+1 415 555 0100>",
        "tel:+14155550100",
        "07700 900123, 07700 900124",
        "0044 7700 900123",
        "(415) 555-0100",
        "415-555-0100 415-555-0101",
        "4155550100, 4155550101",
        "14155550100@s.whatsapp.net +44",
        "14155550100:3@c.us +44",
        "<mailto:14155550100@c.us|14155550100@c.us> +44",
        "https://wa.me/14155550100 +44",
        "<https://wa.me/14155550100|wa.me/14155550100>",
    ],
)
def test_a_number_in_the_place_of_the_group_is_named_as_the_mistake(text: str) -> None:
    assert parse(ADD, text) == UsageError("The group is missing. Name it before the numbers.")


@pytest.mark.parametrize("text", ['"launch team +1', "“launch team +1", "'launch team +1", '"'])
def test_a_quote_that_does_not_end_is_named(text: str) -> None:
    assert parse(ADD, text) == UsageError("The group's name has an opening quote without a closing one.")


@pytest.mark.parametrize("text", ["launch-team", "launch-team  ", "“Launch team”", "launch-team reason: x", "team ,"])
def test_without_participants_nothing_is_left(text: str) -> None:
    typed = parse(ADD, text)

    assert isinstance(typed, ParsedCommand)
    assert typed.rest == ""


@pytest.mark.parametrize(
    ("command", "text", "typed"),
    [
        (ADD, "team +1 invite: yes", ParsedCommand("team", "+1", {"invite": "yes"})),
        (
            ADD,
            "team +1, invite: yes, at: 2026-12-01 09:00",
            ParsedCommand("team", "+1", {"invite": "yes", "at": "2026-12-01 09:00"}),
        ),
        (ADD, "team +1 AT:9:00 reason: at: x", ParsedCommand("team", "+1", {"at": "9:00", "reason": "at: x"})),
        (ADD, "team +1 at : “9:00” invite：yes", ParsedCommand("team", "+1", {"at": "9:00", "invite": "yes"})),
        (ADD, "team Tel: +1, chat: x", ParsedCommand("team", "Tel: +1, chat: x")),
        (ADD, "team +1 at:", ParsedCommand("team", "+1", {"at": ""})),
        (
            SETTINGS,
            "team name: A b, c description: d",
            ParsedCommand("team", "", {"name": "A b, c", "description": "d"}),
        ),
        (SETTINGS, "team name: A | lock: on |", ParsedCommand("team", "", {"name": "A", "lock": "on"})),
        (SETTINGS, 'team description: ""', ParsedCommand("team", "", {"description": ""})),
        (SETTINGS, "team name: “lock: on” lock: off", ParsedCommand("team", "", {"name": "lock: on", "lock": "off"})),
        (SETTINGS, "team name: “a lock: off", ParsedCommand("team", "", {"name": "“a", "lock": "off"})),
        (SETTINGS, "team name: “a” b", ParsedCommand("team", "", {"name": "“a” b"})),
        (
            SETTINGS,
            "team picture: <https://x.example/a?b=1&amp;c>",
            ParsedCommand("team", "", {"picture": "https://x.example/a?b=1&c"}),
        ),
        (SETTINGS, "team colour: red", ParsedCommand("team", "colour: red")),
        (SEND, "team We meet at 5:00, for a reason", ParsedCommand("team", "We meet at 5:00, for a reason")),
        (
            SEND,
            "team text: We meet at: 5, reason: none",
            ParsedCommand("team", "", {"text": "We meet at: 5, reason: none"}),
        ),
        (SEND, "team reason: Hi text: to: you", ParsedCommand("team", "", {"reason": "Hi", "text": "to: you"})),
        (SEND, "team text: to: “you”", ParsedCommand("team", "", {"text": "to: “you”"})),
        (
            SEND,
            "team to: <tel:+1|+1>, +44 text: Hi",
            ParsedCommand("team", "", {"to": "<tel:+1|+1>, +44", "text": "Hi"}),
        ),
        (CREATE, "support “New: one” +1", ParsedCommand("New: one", "+1", connection="support")),
        (CREATE, "support New +1", ParsedCommand("New", "+1", connection="support")),
        (CREATE, "support, New, +1", ParsedCommand("New", "+1", connection="support")),
        (CREATE, "support New 415 555 0100", ParsedCommand("New", "415 555 0100", connection="support")),
        (CREATE, "support “New one” Ann: +1", ParsedCommand("New one", "Ann: +1", connection="support")),
        (CREATE, "New +1 reason: x", ParsedCommand("New", "+1", {"reason": "x"})),
        (CREATE, "New reason: x", ParsedCommand("New", "", {"reason": "x"})),
        (CREATE, "“support” +1", ParsedCommand("support", "+1")),
        (CREATE, "support “at: 5” 07700 900123", ParsedCommand("at: 5", "07700 900123", connection="support")),
        (AUDIT, "", ParsedCommand("", "")),
        (AUDIT, "<@U01|ann> since: 2026-01-01", ParsedCommand("", "<@U01|ann>", {"since": "2026-01-01"})),
        (AUDIT, "group: “Spring Fair”", ParsedCommand("", "", {"group": "Spring Fair"})),
    ],
)
def test_what_is_declared_is_read(command: Command, text: str, typed: ParsedCommand) -> None:
    assert parse(command, text) == typed


@pytest.mark.parametrize(
    ("command", "text", "problem"),
    [
        (ADD, "team +1 reson: why", "There's no option “reson:”. Did you mean `reason:`?"),
        (ADD, "team +1 Reasons : why", "There's no option “Reasons:”. Did you mean `reason:`?"),
        (ADD, "team +1 at: 9:00 invte: yes", "There's no option “invte:”. Did you mean `invite:`?"),
        (SETTINGS, "team name: A anounce: on", "There's no option “anounce:”. Did you mean `announce:`?"),
        (SEND, "team txt: Hello", "There's no option “txt:”. Did you mean `text:`?"),
        *(
            (
                SEND,
                f"team {text}",
                INSIDE.format(name, name),
            )
            for text, name in (
                ("Hello reason: not a reason", "reason"),
                ("We meet AT : 5, reason: none", "at"),
                ("“Quoted” to: you", "to"),
                ("Hello\ntext：x", "text"),
            )
        ),
        (ADD, "team +1 at: 1 AT: 2", "`at:` is given twice."),
        (CREATE, "support “New +1", "The group's name has an opening quote without a closing one."),
        (CREATE, "support Spring Fair +1", STRAY.format("Fair", "Spring Fair")),
        (CREATE, "support, Spring, Fair <tel:+1|+1>", STRAY.format("Fair", "Spring Fair")),
        (CREATE, "support Fair 2027 +1", STRAY.format("2027", "Fair 2027")),
        (CREATE, "support Fair 🎉ע +1", STRAY.format("🎉ע", "Fair 🎉ע")),
        (CREATE, "+1", "The group is missing. Name it before the numbers."),
    ],
)
def test_what_looks_like_an_option_is_not_taken_for_something_else(command: Command, text: str, problem: str) -> None:
    assert parse(command, text) == UsageError(problem)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_example_can_be_read(command: Command) -> None:
    for example in command.examples:
        name, _, text = example.partition(" ")
        typed = parse(command, text)
        assert name == command.name
        assert isinstance(typed, ParsedCommand)
        assert typed.options.keys() <= {option.name for option in command.options}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("“Spring Fair”", "Spring Fair"),
        (" spring ", "spring"),
        ('""', ""),
        ("“a", "“a"),
        ("'R&amp;D'", "R&D"),
        ("", ""),
    ],
)
def test_a_name_that_stands_alone_may_be_quoted(text: str, name: str) -> None:
    assert unquoted(text) == name


_PIECES = [*'"“”‘<>|,; +1@', "reason:", "at:", "name: ", "text:", "“a”", "team ", "&amp;", "קב", "🎉", "\n"]


@settings(max_examples=200)
@given(st.sampled_from(COMMANDS), st.one_of(st.text(), st.lists(st.sampled_from(_PIECES)).map("".join)))
def test_any_text_is_read_or_an_error(command: Command, text: str) -> None:
    typed = parse(command, text)
    if isinstance(typed, ParsedCommand):
        assert bool(typed.group) is (command.first_argument != "anything")
        assert typed.group == typed.group.strip()
        assert typed_text(typed.rest) in typed_text(text)


def test_each_part_of_what_was_typed_knows_its_line() -> None:
    typed = parse(SEND, "\nteam\nto:\n\n+1,\n +44 at: 9:00\nreason: x\ntext:\nHi")
    assert isinstance(typed, ParsedCommand)
    assert {name: typed.line_of(name) for name in typed.options} == {"to": 5, "at": 6, "reason": 7, "text": 9}
    typed = parse(ADD, "“Spring\nFair”\n, +1\n+44")
    assert isinstance(typed, ParsedCommand)
    assert (typed.rest, typed.line_of()) == ("+1\n+44", 3)
