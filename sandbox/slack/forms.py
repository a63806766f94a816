"""What a person types into a view, in the shape of Slack's `state.values`.

Source: https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload and the elements' own pages.
"""

from collections.abc import Iterator
from typing import Any

from sandbox.slack.blocks import flat, interactive
from sandbox.slack.workspace import SlackView

State = dict[str, Any]
Block = dict[str, Any]
_OPTION = {"static_select", "external_select", "radio_buttons", "overflow"}
_OPTIONS = {"checkboxes", "multi_static_select", "multi_external_select"}
_PLAIN = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
    "channels_select": ("selected_channel", "initial_channel"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "file_input": ("files", ""),
    **dict.fromkeys(_OPTION, ("selected_option", "initial_option")),
    **dict.fromkeys(_OPTIONS, ("selected_options", "initial_options")),
}
_LISTS = {name for name in _PLAIN if name.startswith("multi_")} | {"checkboxes", "file_input"}


class InvalidInput(ValueError):
    """Slack's own client does not send this: a required field is empty, a text too long, an option not offered."""


def fields(blocks: list[Block]) -> Iterator[tuple[Block, State]]:
    """Yield every interactive element with its block."""
    for block in flat(blocks):
        for element in interactive(block):
            yield block, element


def find(blocks: list[Block], name: str) -> tuple[Block, State]:
    """Return the element with a name: an action id, visible label, block id, or `<block id>/<action id>`.

    Raises:
        LookupError: there is none; the message lists what there is.
    """
    known = list(fields(blocks))
    for block, element in known:
        if name == f"{block['block_id']}/{element['action_id']}":
            return block, element
    for block, element in known:
        if name in (element["action_id"], _label(element.get("text")), _label(block.get("label")), block["block_id"]):
            return block, element
    offered = [_label(e.get("text")) or _label(b.get("label")) or e["action_id"] for b, e in known]
    raise LookupError(f"nothing is called {name!r} here; there is {offered}")


def entered(element: State, value: Any, options: list[State]) -> State:
    """Return an element's state after a person put `value` in.

    Args:
        element: the element.
        value: the text, date, id; an option's label or value; a list where several can be chosen.
        options: what a select menu offers now.

    Raises:
        FormRefused: Slack's client would not take it.
    """
    kind = element["type"]
    if kind in _OPTION:
        value = None if value is None else _option(value, options)
    elif kind in _OPTIONS:
        value = [_option(each, options) for each in value]
    elif kind == "plain_text_input" and value is not None:
        _check_length(element, value)
    return _state(element, value)


def offered(element: State) -> list[State]:
    """Return the options that an element itself lists."""
    grouped = [option for group in element.get("option_groups", []) for option in group["options"]]
    return [*element.get("options", []), *grouped]


def values(view: SlackView) -> State:
    """Return `state.values`: every element that has a value, typed in or initial."""
    state: State = {}
    for block, element in fields(view.body["blocks"]):
        if element["type"] in _PLAIN and element["type"] != "overflow":
            key = (block["block_id"], element["action_id"])
            state.setdefault(key[0], {})[key[1]] = view.typed.get(key) or _initial(element)
    return state


def check_complete(view: SlackView, state: State) -> None:
    """Check that every required input has a value.

    Raises:
        FormRefused: one does not.
    """
    for block, element in fields(view.body["blocks"]):
        if block["type"] == "input" and not block.get("optional"):
            held = state[block["block_id"]][element["action_id"]]
            if held[_PLAIN[element["type"]][0]] in (None, "", []):
                raise InvalidInput(f"{_label(block['label'])}: please complete this required field")


def _initial(element: State) -> State:
    initial = _PLAIN[element["type"]][1]
    return _state(element, element.get(initial, [] if element["type"] in _LISTS else None))


def _state(element: State, value: Any) -> State:
    state = {"type": element["type"], _PLAIN[element["type"]][0]: value}
    return {**state, "timezone": element["timezone"]} if "timezone" in element else state


def _label(text: Any) -> str:
    return str(text.get("text", "")) if isinstance(text, dict) else ""


def _option(wanted: Any, options: list[State]) -> State:
    for option in options:
        if wanted in (option, option["value"], option["text"]["text"]):
            return option
    raise InvalidInput(f"no option {wanted!r} among {[option['text']['text'] for option in options]}")


def _check_length(element: State, value: str) -> None:
    longest = element.get("max_length", 3000)
    if not element.get("min_length", 0) <= len(value) <= longest:
        raise InvalidInput(f"the text has {len(value)} characters, the most is {longest}")
