import re
from typing import Any

import pytest

from sandbox.slack.blocks import check_message, check_options, check_view, with_ids
from sandbox.slack.chat import oddities
from sandbox.slack.errors import SlackError

Block = dict[str, Any]


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "x", **more: Any) -> Block:
    return {"type": "section", "text": mrkdwn(text), **more}


def button(**more: Any) -> Block:
    return {"type": "button", "text": plain("Go"), "action_id": "go", **more}


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def option(text: str = "One", value: str = "1", **more: Any) -> Block:
    return {"text": plain(text), "value": value, **more}


def select(count: int, **more: Any) -> Block:
    return {"type": "static_select", "action_id": "s", "options": [option(value=str(n)) for n in range(count)], **more}


def choice(kind: str, count: int) -> Block:
    return {"type": kind, "action_id": "c", "options": [option(value=str(n)) for n in range(count)]}


def table(rows: int, columns: int, text: str = "x") -> Block:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * columns for _ in range(rows)]}


def confirm(title: int, text: int) -> Block:
    return {"title": plain("t" * title), "text": plain("t" * text), "confirm": plain("Yes"), "deny": plain("No")}


def modal(**more: Any) -> Block:
    return {"type": "modal", "title": plain("Add"), "blocks": [section()], **more}


def text_input(**more: Any) -> Block:
    return {
        "type": "input",
        "label": plain("Name"),
        "element": {"type": "plain_text_input", "action_id": "name", **more},
    }


ALERT: Block = {"type": "alert", "text": plain("x"), "level": "warning"}
SENTINEL = 10**9
LIMITS: list[tuple[str, Any, Any]] = [
    ("a section's text", section("x" * 3000), section("x" * 3001)),
    ("a section's fields", section(fields=[mrkdwn("x")] * 10), section(fields=[mrkdwn("x")] * 11)),
    ("a field's text", section(fields=[mrkdwn("x" * 2000)]), section(fields=[mrkdwn("x" * 2001)])),
    ("a header", {"type": "header", "text": plain("x" * 150)}, {"type": "header", "text": plain("x" * 151)}),
    (
        "an actions block",
        actions(*(button(action_id=str(n)) for n in range(25))),
        actions(*(button(action_id=str(n)) for n in range(26))),
    ),
    (
        "a context block",
        {"type": "context", "elements": [mrkdwn("x")] * 10},
        {"type": "context", "elements": [mrkdwn("x")] * 11},
    ),
    ("a button's text", actions(button(text=plain("x" * 75))), actions(button(text=plain("x" * 76)))),
    ("a button's value", actions(button(value="x" * 2000)), actions(button(value="x" * 2001))),
    ("an action id", actions(button(action_id="x" * 255)), actions(button(action_id="x" * 256))),
    ("a block id", section(block_id="x" * 255), section(block_id="x" * 256)),
    ("a select's options", actions(select(100)), actions(select(101))),
    (
        "an option's text",
        actions(select(0, options=[option("x" * 75)])),
        actions(select(0, options=[option("x" * 76)])),
    ),
    (
        "an option's value",
        actions(select(0, options=[option(value="x" * 150)])),
        actions(select(0, options=[option(value="x" * 151)])),
    ),
    (
        "a placeholder",
        actions(select(1, placeholder=plain("x" * 150))),
        actions(select(1, placeholder=plain("x" * 151))),
    ),
    ("radio buttons", actions(choice("radio_buttons", 10)), actions(choice("radio_buttons", 11))),
    ("checkboxes", actions(choice("checkboxes", 10)), actions(choice("checkboxes", 11))),
    ("an overflow menu", actions(choice("overflow", 5)), actions(choice("overflow", 6))),
    ("a confirm's title", actions(button(confirm=confirm(100, 1))), actions(button(confirm=confirm(101, 1)))),
    ("a confirm's text", actions(button(confirm=confirm(1, 300))), actions(button(confirm=confirm(1, 301)))),
    ("a markdown block", {"type": "markdown", "text": "x" * 12_000}, {"type": "markdown", "text": "x" * 12_001}),
    ("a table's rows", table(100, 1), table(101, 1)),
    ("a table's columns", table(1, 20), table(1, 21)),
    ("a table's characters", table(10, 10, "x" * 100), table(10, 10, "x" * 101)),
]


def refusal(blocks: Any, longest: int = SENTINEL) -> SlackError:
    with pytest.raises(SlackError) as caught:
        check_message(blocks, longest=longest)
    return caught.value


@pytest.mark.parametrize(("name", "fits", "too_much"), LIMITS, ids=[limit[0] for limit in LIMITS])
def test_a_block_over_a_limit_is_refused(name: str, fits: Block, too_much: Block) -> None:
    check_message([fits], longest=SENTINEL)
    refused = refusal([too_much])
    assert refused.error == "invalid_blocks", name
    assert len(refused.messages) == 1


def test_a_message_has_at_most_fifty_blocks() -> None:
    check_message([{"type": "divider"}] * 50)
    assert refusal([{"type": "divider"}] * 51).messages == ["no more than 50 items allowed [json-pointer:/blocks]"]


def test_the_whole_message_is_bounded() -> None:
    check_message([section("x" * 3000) for _ in range(4)])
    with pytest.raises(SlackError) as caught:
        check_message([section("x" * 3000) for _ in range(5)])
    assert caught.value.error == "msg_blocks_too_long"


def test_a_message_has_at_most_one_table() -> None:
    refused = refusal([table(1, 1), table(1, 1)])
    assert (refused.error, refused.messages) == ("invalid_attachments", ["only_one_table_allowed"])


def test_a_table_has_no_empty_cell() -> None:
    assert "must be more than 0 characters" in refusal([table(1, 1, "")]).messages[0]


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (section(colour="red"), "invalid additional property: colour [json-pointer:/blocks/0]"),
        (actions(button(label="x")), "invalid additional property: label [json-pointer:/blocks/0/elements/0]"),
        (section("x" * 0), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
        ({"type": "section"}, "must define either `text` or `fields` [json-pointer:/blocks/0]"),
        ({"type": "header", "text": mrkdwn("x")}, "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]"),
        ({"type": "heading", "text": plain("x")}, "unsupported type: heading [json-pointer:/blocks/0/type]"),
        ({"type": "header"}, "missing required field: text [json-pointer:/blocks/0]"),
        (actions(), "must not be empty [json-pointer:/blocks/0/elements]"),
        (
            actions({"type": "plain_text_input"}),
            "unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]",
        ),
        (actions(button(style="green")), "must be one of: primary, danger [json-pointer:/blocks/0/elements/0/style]"),
        (actions(button(), button()), '`action_id` "go" already exists'),
    ],
)
def test_an_unknown_field_is_refused_with_its_pointer(block: Block, message: str) -> None:
    messages = refusal([block]).messages
    assert any(message in line for line in messages), messages


@pytest.mark.parametrize(
    "blocks",
    [
        ["text"],
        [{"type": ["section"]}],
        [{"type": "actions", "elements": "go"}],
        [{"type": "actions", "elements": [{"type": "button", "action_id": ["go"]}]}],
        [{"type": "input", "label": "Name", "element": "name"}],
        [{"type": "table", "rows": [None]}],
    ],
)
def test_anything_but_a_block_is_refused(blocks: Any) -> None:
    assert refusal(blocks).error == "invalid_blocks"


def test_block_ids_are_unique() -> None:
    assert "`block_id` a already exists" in refusal([section(block_id="a"), section(block_id="a")]).messages[0]


def test_progress_blocks_are_accepted() -> None:
    card = {"type": "task_card", "task_id": "1", "title": "Adding", "status": "in_progress"}
    container = {"type": "container", "title": plain("Results"), "is_collapsible": True, "child_blocks": [section()]}
    check_message([{"type": "plan", "title": "Adding", "tasks": [card]}, container])
    assert refusal([{**card, "status": "done"}]).messages
    assert refusal([{**container, "child_blocks": [section()] * 11}]).messages


def test_an_alert_is_only_for_modals() -> None:
    assert refusal([ALERT]).messages == ["unsupported type: alert [json-pointer:/blocks/0/type]"]


def test_a_file_input_is_only_for_modals() -> None:
    block = {"type": "input", "label": plain("CSV"), "element": {"type": "file_input", "action_id": "f"}}
    check_view(modal(blocks=[block], submit=plain("Go")))
    assert "only for modals" in refusal([block]).messages[0]
    with pytest.raises(SlackError, match="invalid_arguments"):
        check_view({"type": "home", "blocks": [block]})


@pytest.mark.parametrize(
    ("fits", "too_much"),
    [
        (modal(title=plain("x" * 24)), modal(title=plain("x" * 25))),
        (modal(submit=plain("x" * 24)), modal(submit=plain("x" * 25))),
        (modal(close=plain("x" * 24)), modal(close=plain("x" * 25))),
        (modal(private_metadata="x" * 3000), modal(private_metadata="x" * 3001)),
        (modal(callback_id="x" * 255), modal(callback_id="x" * 256)),
        (modal(blocks=[section()] * 100), modal(blocks=[section()] * 101)),
        ({"type": "home", "blocks": [section()] * 100}, {"type": "home", "blocks": [section()] * 101}),
        ({"type": "home", "blocks": [section()]}, {"type": "home", "blocks": [section()], "title": plain("Home")}),
        (modal(submit=plain("Go"), blocks=[text_input()]), modal(blocks=[text_input()])),
        (modal(), modal(notify="yes")),
        (modal(), modal(blocks=[table(1, 1)])),
        (modal(blocks=[ALERT]), modal(blocks=[{**ALERT, "level": "fatal"}])),
        ({"type": "home", "blocks": [section()]}, {"type": "home", "blocks": [ALERT]}),
        (
            modal(submit=plain("Go"), blocks=[text_input(max_length=3000)]),
            modal(submit=plain("Go"), blocks=[text_input(max_length=3001)]),
        ),
    ],
)
def test_a_view_has_limits_too(fits: Block, too_much: Block) -> None:
    check_view(fits)
    with pytest.raises(SlackError) as caught:
        check_view(too_much)
    assert caught.value.error == "invalid_arguments"
    assert re.search(r"\[json-pointer:/view", caught.value.messages[0])


@pytest.mark.parametrize(
    ("element", "wrong"),
    [
        (select(2), {"initial_option": option(value="2")}),
        (select(2), {"initial_option": option("Two", value="1")}),
        (choice("radio_buttons", 2), {"initial_option": option(value="2")}),
        (choice("checkboxes", 2), {"initial_options": [option(value="0"), option(value="2")]}),
        (select(2) | {"type": "multi_static_select"}, {"initial_options": [option(value="2")]}),
    ],
    ids=str,
)
def test_an_initial_option_is_one_of_the_options(element: Block, wrong: Block) -> None:
    name = next(iter(wrong))
    first = element["options"][0]
    check_message([actions(element | {name: [first] if name == "initial_options" else first})])
    with pytest.raises(SlackError, match="invalid_blocks"):
        check_message([actions(element | wrong)])


def test_an_initial_option_is_also_looked_for_in_groups() -> None:
    group = {"label": plain("Group"), "options": [option()]}
    menu = {"type": "static_select", "action_id": "s", "option_groups": [group]}
    check_message([actions(menu | {"initial_option": option()})])
    with pytest.raises(SlackError, match="invalid_blocks"):
        check_message([actions(menu | {"initial_option": option("Two", "2")})])


def test_only_an_overflow_menu_has_options_with_links() -> None:
    linked = {"options": [option(url="https://example.com")]}
    check_message([actions({"type": "overflow", "action_id": "o", **linked})])
    with pytest.raises(SlackError, match="invalid_blocks"):
        check_message([actions(select(1) | linked)])


def test_only_one_element_of_a_view_has_the_focus() -> None:
    focused = text_input(focus_on_load=True)
    check_view(modal(submit=plain("Go"), blocks=[focused, text_input()]))
    with pytest.raises(SlackError, match="invalid_arguments"):
        check_view(modal(submit=plain("Go"), blocks=[focused, focused]))


def test_a_view_has_at_most_250_kilobytes() -> None:
    check_view(modal(blocks=[section("x" * 2_400) for _ in range(100)]))
    with pytest.raises(SlackError, match="view_too_large"):
        check_view(modal(blocks=[section("x" * 2_500) for _ in range(100)]))


def test_an_answer_with_too_many_options_is_not_shown() -> None:
    assert check_options({"options": [option(value=str(n)) for n in range(100)]}) == []
    assert check_options({"options": [option(value=str(n)) for n in range(101)]})
    assert check_options({"options": [option("x" * 76)]})
    assert check_options({})


def test_missing_ids_are_added() -> None:
    blocks = with_ids([actions({"type": "button", "text": plain("Go")}), section(block_id="mine")], iter(["a", "b"]))
    assert blocks[0]["block_id"] == "a"
    assert blocks[0]["elements"][0]["action_id"] == "b"
    assert blocks[1]["block_id"] == "mine"


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("<@U01ALICE> asked <#C0LAUNCH|launch>, <!subteam^S0OPERATORS>, <!here>", 0),
        ("<!date^1800000000^{date_short} {time}|2027-01-15> and <https://example.com/?a=1&amp;b=2|here>", 0),
        ("&gt; quoted &lt;b&gt; &amp; more", 0),
        ("Team <b>launch</b>", 1),
        ("Fish & chips", 1),
        ("a < b & c", 2),
    ],
)
def test_unescaped_text_is_odd(text: str, odd: int) -> None:
    assert len(oddities(text)) == odd
