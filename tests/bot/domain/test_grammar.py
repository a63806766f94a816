import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.grammar import Command, UsageError, split_command


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("launch-team +1 415 555 0100", Command("launch-team", "+1 415 555 0100", "")),
        ("  launch-team   +1, +44  ", Command("launch-team", "+1, +44", "")),
        ("launch-team\t+1 415", Command("launch-team", "+1 415", "")),
        ("launch-team\n+1\n+44", Command("launch-team", "+1\n+44", "")),
        ("launch-team, +1", Command("launch-team", "+1", "")),
        ('"Launch team" +1', Command("Launch team", "+1", "")),
        ("“Launch team” +1", Command("Launch team", "+1", "")),
        ('“Launch team" +1', Command("Launch team", "+1", "")),
        ("”Launch team” +1", Command("Launch team", "+1", "")),
        ("„Launch team“ +1", Command("Launch team", "+1", "")),
        ("«Launch team» +1", Command("Launch team", "+1", "")),
        ("‘Launch team’ +1", Command("Launch team", "+1", "")),
        ("'Ann's team' +1", Command("Ann's team", "+1", "")),
        ("“Ann’s team” +1", Command("Ann’s team", "+1", "")),
        ('"Launch team"+1', Command("Launch team", "+1", "")),
        ('"Launch team"4155550100', Command("Launch team", "4155550100", "")),
        ('"+1 club" +44', Command("+1 club", "+44", "")),
        ('"reason: x" +44', Command("reason: x", "+44", "")),
        ("120363041234567890@g.us +1", Command("120363041234567890@g.us", "+1", "")),
        ("14155550100-1612345678@g.us +1", Command("14155550100-1612345678@g.us", "+1", "")),
        ("<mailto:12036@g.us|12036@g.us> +1", Command("12036@g.us", "+1", "")),
        ("WAG62598186-d2bd-4946-86c6-30f8a3c849c6 +1", Command("WAG62598186-d2bd-4946-86c6-30f8a3c849c6", "+1", "")),
        ("42 +1", Command("42", "+1", "")),
        ("120363041234567890 +1", Command("120363041234567890", "+1", "")),
        ("R&amp;D &lt;tel:&gt;", Command("R&D", "&lt;tel:&gt;", "")),
        ("Q&amp; Ann &lt;+1&gt; reason: x", Command("Q&", "Ann &lt;+1&gt;", "x")),
        ("&amp;lt; +1", Command("&lt;", "+1", "")),
        ("team <tel:+1415|+1 415>", Command("team", "<tel:+1415|+1 415>", "")),
        ("team +1 reason: new in R&amp;D", Command("team", "+1", "new in R&D")),
        ("team +1, REASON:new\nsecond line", Command("team", "+1", "new\nsecond line")),
        ("team +1 reason : why", Command("team", "+1", "why")),
        ("team +1;reason: why", Command("team", "+1;", "why")),
        ("team +1 reason: a reason: b", Command("team", "+1", "a reason: b")),
        ("team +1 reason:", Command("team", "+1", "")),
        ("team +1 reason: see <https://example.com/1>", Command("team", "+1", "see https://example.com/1")),
    ],
)
def test_group_participants_and_reason_are_split(text: str, command: Command) -> None:
    assert split_command(text) == command


@pytest.mark.parametrize("text", ["", "   ", "reason: because", '"" +1', "“ ” +1", ", +1"])
def test_without_a_group_it_says_so(text: str) -> None:
    assert split_command(text) == UsageError("The group is missing.")


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
    assert split_command(text) == UsageError("The group is missing: name it before the numbers.")


@pytest.mark.parametrize("text", ['"launch team +1', "“launch team +1", "'launch team +1", '"'])
def test_a_quote_that_does_not_end_is_named(text: str) -> None:
    assert split_command(text) == UsageError("The group's name begins with a quote that does not end.")


@pytest.mark.parametrize("text", ["launch-team", "launch-team  ", "“Launch team”", "launch-team reason: x", "team ,"])
def test_without_participants_it_says_so(text: str) -> None:
    assert split_command(text) == UsageError("The numbers are missing.")


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.lists(st.sampled_from([*"\"“”'‘<>|,; +1@", "reason:", "team", "&amp;"])).map("".join)))
def test_any_text_is_a_command_with_group_and_participants_or_an_error(text: str) -> None:
    parsed = split_command(text)
    if isinstance(parsed, Command):
        assert parsed.group.strip()
        assert parsed.participants.strip()
