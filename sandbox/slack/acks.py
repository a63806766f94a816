"""What Slack does with an acknowledgement: replies it shows, modals it changes, options it offers.

Source: https://docs.slack.dev/interactivity/implementing-slash-commands, https://docs.slack.dev/surfaces/modals and
https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element
"""

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from sandbox.slack.blocks import check_options
from sandbox.slack.delivery import Ack, Delivery
from sandbox.slack.errors import SlackError
from sandbox.slack.response_urls import reply
from sandbox.slack.views import close_modal, open_modal, update_view
from sandbox.slack.workspace import ResponseUrl, SlackView, Workspace


def apply_ack(workspace: Workspace, delivery: Delivery) -> Ack:
    """Do what the acknowledgement of a delivery asks for, and give it with what Slack could not do."""
    ack = delivery.ack
    if ack is None:
        raise ValueError("the delivery has not been made")
    try:
        if delivery.kind == "slash_commands":
            _apply_command(workspace, delivery, ack)
        elif delivery.payload["type"] == "view_submission" and ack.ok:
            _apply_submission(workspace, delivery.payload, ack.body)
        elif delivery.payload["type"] == "block_suggestion" and ack.ok:
            _check_suggestion(ack.body)
    except SlackError as refused:
        details = "; ".join(refused.messages)
        ack = replace(ack, error=f"{refused.error}: {details}" if details else refused.error)
        delivery.ack = ack
        workspace.changed()
    if ack.status and ack.status != HTTPStatus.OK and not ack.error:
        ack = replace(ack, error=f"http_status_{ack.status}")
        delivery.ack = ack
    return ack


def _apply_command(workspace: Workspace, delivery: Delivery, ack: Ack) -> None:
    user, channel = delivery.payload["user_id"], delivery.payload["channel_id"]
    if not ack.ok:
        why = "operation_timeout" if ack.timed_out else "dispatch_failed"
        text = f'{delivery.payload["command"]} failed with the error "{why}"'
        workspace.post_ephemeral(user, channel, {"user": "USLACKBOT", "text": text})
        return
    body = {"text": ack.body} if isinstance(ack.body, str) else ack.body
    if any(body.get(name) for name in ("text", "blocks", "attachments")):
        reply(workspace, ResponseUrl(user, channel, expires_at=0.0), body)


def _apply_submission(workspace: Workspace, payload: dict[str, Any], body: Any) -> None:
    view = workspace.views.get(payload["view"]["id"])
    if view is None:
        return
    action = body.get("response_action") if isinstance(body, dict) else None
    if action is None:
        if body:
            raise SlackError("invalid_response", ["the body of a submission's acknowledgement is empty or an action"])
        _close(workspace, view)
    elif action == "clear":
        close_modal(workspace, view.user, whole_stack=True)
    elif action == "update":
        update_view(workspace, view, body.get("view"))
    elif action == "push":
        open_modal(workspace, view.user, body.get("view"), pushed=True)
    elif action == "errors":
        _show_errors(workspace, view, body.get("errors"))
    else:
        raise SlackError("invalid_response", [f"unknown response_action {action}"])


def _close(workspace: Workspace, view: SlackView) -> None:
    stack = workspace.modals.get(view.user, [])
    if stack and stack[-1] == view.body["id"]:
        close_modal(workspace, view.user)


def _show_errors(workspace: Workspace, view: SlackView, errors: Any) -> None:
    inputs = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not all(isinstance(said, str) for said in errors.values()):
        raise SlackError("invalid_response", ["errors must be an object of texts"])
    if unknown := sorted(set(errors) - inputs):
        raise SlackError("invalid_response", [f"no input block is called {name}" for name in unknown])
    view.errors = dict(errors)
    workspace.changed()


def _check_suggestion(body: Any) -> None:
    if problems := check_options(body):
        raise SlackError("invalid_options", problems)
