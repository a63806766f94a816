"""Replies without a token: an acknowledgement's body and the `response_url`.

Source: https://docs.slack.dev/interactivity/handling-user-interaction (5 uses within 30 minutes; `replace_original`,
`delete_original`; ephemeral unless `response_type` says `in_channel`)
"""

from typing import Any

from aiohttp import web

from sandbox.slack.chat import UNBOUNDED, content, signature
from sandbox.slack.errors import SlackError
from sandbox.slack.web_api import WebApi
from sandbox.slack.workspace import RESPONSE_URL_USES, ResponseUrl, Workspace


def reply(workspace: Workspace, url: ResponseUrl, body: dict[str, Any]) -> None:
    """Say to a person, or to the channel, what a reply holds.

    Raises:
        Refused: as for a message; `msg_blocks_too_long` is not one of them (bolt-js #2867).
    """
    if body.get("delete_original"):
        _delete(workspace, url)
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


async def handle(api: WebApi, request: web.Request) -> web.Response:
    """Answer one POST to a `response_url`; Slack's answer is the text `ok`."""
    body = await request.json()
    fault = api.take_fault("response_url", body)
    if fault and fault.when == "before":
        return await fault.strike(request)
    url = api.workspace.response_urls.get(request.match_info["name"])
    status, answer = _answer(api.workspace, url, body)
    api.record("response_url", body, status, answer)
    if fault:
        return await fault.strike(request)
    if answer == "ok":
        return web.Response(text="ok")
    return web.json_response({"ok": False, "error": answer}, status=status)


def _answer(workspace: Workspace, url: ResponseUrl | None, body: dict[str, Any]) -> tuple[int, str]:
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


def _delete(workspace: Workspace, url: ResponseUrl) -> None:
    workspace.channels[url.channel].messages.pop(url.message_ts or "", None)
    workspace.ephemerals = [e for e in workspace.ephemerals if e.message["ts"] != url.message_ts]
    workspace.changed()
