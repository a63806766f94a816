"""The Web API's `views.*` methods, and what an acknowledged submission does to a modal.

Source: https://docs.slack.dev/reference/methods/views.open and its neighbours, https://docs.slack.dev/surfaces/modals
"""

from typing import Any

from sandbox.slack.blocks import check_view, with_ids
from sandbox.slack.chat import oddities, texts
from sandbox.slack.errors import SlackError
from sandbox.slack.web_api import ApiRequest, JsonObject, Method
from sandbox.slack.workspace import SlackView, Trigger, Workspace

MAX_DEPTH = 3


def open_modal(workspace: Workspace, user: str, definition: Any, *, pushed: bool = False) -> SlackView:
    """Show a modal to a person, on top of theirs when `pushed`.

    Raises:
        Refused: `invalid_arguments`, `duplicate_external_id` or `push_limit_reached`.
    """
    check_view(definition)
    _check_external_id(workspace, definition)
    stack = workspace.modals.get(user, []) if pushed else []
    if len(stack) >= MAX_DEPTH:
        raise SlackError("push_limit_reached")
    for view_id in workspace.modals.get(user, []) if not pushed else []:
        del workspace.views[view_id]
    view_id = workspace.new_id("V")
    body = {
        "id": view_id,
        "previous_view_id": stack[-1] if stack else None,
        "root_view_id": stack[0] if stack else view_id,
    }
    workspace.modals[user] = [*stack, view_id]
    return _show(workspace, SlackView(user, body), definition)


def update_view(workspace: Workspace, view: SlackView, definition: Any) -> SlackView:
    """Replace a view's definition. What was typed stays if block and action keep their ids.

    Raises:
        Refused: `invalid_arguments`.
    """
    check_view(definition)
    return _show(workspace, view, definition)


def close_modal(workspace: Workspace, user: str, *, whole_stack: bool = False) -> None:
    """Close the top modal, or all of them."""
    stack = workspace.modals.get(user, [])
    keep = [] if whole_stack else stack[:-1]
    for view_id in stack[len(keep) :]:
        del workspace.views[view_id]
    workspace.modals[user] = keep
    workspace.changed()


def _show(workspace: Workspace, view: SlackView, definition: dict[str, Any]) -> SlackView:
    seed = workspace.seed
    view.body = {
        "id": view.body["id"],
        "team_id": seed.team_id,
        "type": definition["type"],
        "blocks": with_ids(definition["blocks"], workspace.names("b")),
        "private_metadata": definition.get("private_metadata", ""),
        "callback_id": definition.get("callback_id", ""),
        "state": {"values": {}},
        "hash": f"{int(workspace.now())}.{workspace.new_id('h')}",
        "title": definition.get("title"),
        "clear_on_close": definition.get("clear_on_close", False),
        "notify_on_close": definition.get("notify_on_close", False),
        "close": definition.get("close"),
        "submit": definition.get("submit"),
        "previous_view_id": view.body.get("previous_view_id"),
        "root_view_id": view.body.get("root_view_id"),
        "app_id": seed.app_id,
        "external_id": definition.get("external_id", ""),
        "app_installed_team_id": seed.team_id,
        "bot_id": seed.bot_id,
    }
    view.errors = {}
    workspace.views[view.body["id"]] = view
    for text in texts(definition["blocks"]):
        workspace.oddities.extend(oddities(text))
    workspace.changed()
    return view


def _check_external_id(workspace: Workspace, definition: dict[str, Any]) -> None:
    external_id = definition.get("external_id")
    if external_id and any(view.body["external_id"] == external_id for view in workspace.views.values()):
        raise SlackError("duplicate_external_id")


def _trigger(call: ApiRequest) -> Trigger:
    trigger = call.workspace.triggers.get(call.text("trigger_id"))
    if trigger is None:
        raise SlackError("invalid_trigger_id")
    if trigger.used:
        raise SlackError("exchanged_trigger_id")
    if call.workspace.now() > trigger.expires_at:
        raise SlackError("expired_trigger_id")
    return trigger


def _definition(call: ApiRequest, kind: str) -> Any:
    call.text("view")
    definition = call.parsed("view", "invalid_arguments")
    if isinstance(definition, dict) and definition.get("type") != kind:
        raise SlackError("invalid_arguments", [f"must be a {kind} view [json-pointer:/view/type]"])
    return definition


def _open(call: ApiRequest) -> JsonObject:
    trigger = _trigger(call)
    view = open_modal(call.workspace, trigger.user, _definition(call, "modal"))
    trigger.used = True
    return {"view": view.body}


def _push(call: ApiRequest) -> JsonObject:
    trigger = _trigger(call)
    if not call.workspace.modals.get(trigger.user):
        raise SlackError("not_found")
    view = open_modal(call.workspace, trigger.user, _definition(call, "modal"), pushed=True)
    trigger.used = True
    return {"view": view.body}


def _update(call: ApiRequest) -> JsonObject:
    view = _find(call)
    if call.args.get("hash") and call.args["hash"] != view.body["hash"]:
        raise SlackError("hash_conflict")
    return {"view": update_view(call.workspace, view, _definition(call, view.body["type"])).body}


def _find(call: ApiRequest) -> SlackView:
    view_id, external_id = call.args.get("view_id"), call.args.get("external_id")
    if not view_id and not external_id:
        raise SlackError("invalid_arguments", ["must provide `view_id` or `external_id`"])
    for view in call.workspace.views.values():
        if view.body["id"] == view_id or (external_id and view.body["external_id"] == external_id):
            return view
    raise SlackError("not_found")


def _publish(call: ApiRequest) -> JsonObject:
    user, definition = call.text("user_id"), _definition(call, "home")
    if user not in call.workspace.users:
        raise SlackError("invalid_arguments", ["unknown user_id"])
    known = call.workspace.homes.get(user)
    if known is None:
        check_view(definition)
        view_id = call.workspace.new_id("V")
        view = _show(call.workspace, SlackView(user, {"id": view_id, "root_view_id": view_id}), definition)
        call.workspace.homes[user] = view_id
        return {"view": view.body}
    view = call.workspace.views[known]
    if call.args.get("hash") and call.args["hash"] != view.body["hash"]:
        raise SlackError("hash_conflict")
    return {"view": update_view(call.workspace, view, definition).body}


METHODS = {
    "views.open": Method(_open, tier=4),
    "views.push": Method(_push, tier=4),
    "views.update": Method(_update, tier=4),
    "views.publish": Method(_publish, tier=4),
}
