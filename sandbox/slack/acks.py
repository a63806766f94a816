"""What the app answers without a token: acknowledgements and replies to a `response_url`.

Source: https://docs.slack.dev/interactivity/handling-user-interaction (a `response_url`: 5 uses within 30 minutes;
`replace_original`, `delete_original`; ephemeral unless `response_type` is `in_channel`),
https://docs.slack.dev/interactivity/implementing-slash-commands, https://docs.slack.dev/surfaces/modals and
https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element
"""

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from aiohttp import web

from sandbox.slack.blocks import check_options
from sandbox.slack.chat import UNBOUNDED, content, signature
from sandbox.slack.delivery import Ack, Delivery
from sandbox.slack.errors import SlackError
from sandbox.slack.views import close_modal, open_modal, update_view
from sandbox.slack.web_api import WebApi
from sandbox.slack.workspace import RESPONSE_URL_USES, ResponseUrl, SlackView, Workspace


def apply_ack(workspace: Workspace, delivery: Delivery) -> Ack:
    """Do what an acknowledgement asks for. Return it with an error for what Slack could not do."""
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
    if not isinstance(errors, dict) or not errors or not all(isinstance(text, str) for text in errors.values()):
        raise SlackError("invalid_response", ["errors must be an object of texts"])
    if unknown := sorted(set(errors) - inputs):
        raise SlackError("invalid_response", [f"no input block is called {name}" for name in unknown])
    view.errors = dict(errors)
    workspace.changed()


def _check_suggestion(body: Any) -> None:
    if problems := check_options(body):
        raise SlackError("invalid_options", problems)


def reply(workspace: Workspace, url: ResponseUrl, body: dict[str, Any]) -> None:
    """Post a reply to the person or to the channel.

    Raises:
        Refused: as for a message; `msg_blocks_too_long` is not one of them (bolt-js #2867).
    """
    if body.get("delete_original"):
        _delete_original(workspace, url)
        return
    message = {**signature(workspace), **content(workspace, body, longest_blocks=UNBOUNDED)}
    original = workspace.find_message(url.channel, url.message_ts) if url.message_ts else None
    if body.get("replace_original") and original is not None:
        original.pop("blocks", None)
        original.update(message)
        workspace.changed()
        return
    if body.get("thread_ts"):
        message["thread_ts"] = body["thread_ts"]
    if body.get("response_type") == "in_channel":
        workspace.post(url.channel, message)
    else:
        workspace.post_ephemeral(url.user, url.channel, message)


async def answer_response_url(api: WebApi, request: web.Request) -> web.Response:
    """Answer one POST to a `response_url`; Slack's answer is the text `ok`."""
    body = await request.json()
    fault = api.take_fault("response_url", body)
    if fault and fault.when == "before":
        return await fault.respond(request)
    url = api.workspace.response_urls.get(request.match_info["name"])
    status, answer = _use_response_url(api.workspace, url, body)
    api.record("response_url", body, status, answer)
    if fault:
        return await fault.respond(request)
    if answer == "ok":
        return web.Response(text="ok")
    return web.json_response({"ok": False, "error": answer}, status=status)


def _use_response_url(workspace: Workspace, url: ResponseUrl | None, body: dict[str, Any]) -> tuple[int, str]:
    if url is None:
        return 404, "invalid_url"
    if workspace.now() > url.expires_at:
        return 404, "expired_url"
    if url.uses >= RESPONSE_URL_USES:
        return 404, "used_url"
    url.uses += 1
    try:
        reply(workspace, url, body)
    except SlackError as refused:
        return 400, refused.error
    return 200, "ok"


def _delete_original(workspace: Workspace, url: ResponseUrl) -> None:
    workspace.channels[url.channel].messages.pop(url.message_ts or "", None)
    workspace.ephemerals = [e for e in workspace.ephemerals if e.message["ts"] != url.message_ts]
    workspace.changed()
