"""Uploading a file in three steps, and fetching one.

Source: https://docs.slack.dev/reference/methods/files.getUploadURLExternal and files.completeUploadExternal
"""

from typing import Any

from aiohttp import web

from sandbox.slack.chat import signature
from sandbox.slack.errors import SlackError
from sandbox.slack.web_api import ApiRequest, JsonObject, Method, WebApi
from sandbox.slack.workspace import Channel, Upload, Workspace


def file_object(upload: Upload, base_url: str) -> dict[str, Any]:
    """Return a file as Slack describes it; fetching it needs a token with `files:read`."""
    url = f"{base_url}/files-pri/{upload.id}/download/{upload.name}"
    return {
        "id": upload.id,
        "name": upload.name,
        "title": upload.title or upload.name,
        "filetype": upload.name.rpartition(".")[2],
        "mimetype": "text/csv" if upload.name.endswith(".csv") else "application/octet-stream",
        "size": len(upload.content or b""),
        "user": upload.user,
        "url_private": url,
        "url_private_download": url,
        "is_external": False,
        "mode": "hosted",
    }


def add_file(workspace: Workspace, user: str, name: str, content: bytes) -> Upload:
    """Add a person's own file to the workspace, as a `file_input` does."""
    upload = Upload(workspace.new_id("F"), name, len(content), user, content=content, completed=True)
    workspace.files[upload.id] = upload
    workspace.changed()
    return upload


def _announce(call: ApiRequest) -> JsonObject:
    length = call.number("length", 0)
    if length <= 0:
        raise SlackError("invalid_arguments", ["missing required field: length"])
    upload = Upload(call.workspace.new_id("F"), call.text("filename"), length, call.workspace.seed.bot_user_id)
    call.workspace.files[upload.id] = upload
    return {"upload_url": f"{call.base_url}/upload/v1/{upload.id}", "file_id": upload.id}


def _complete(call: ApiRequest) -> JsonObject:
    listed = call.parsed("files", "invalid_arguments")
    if not isinstance(listed, list) or not listed:
        raise SlackError("invalid_arguments", ["missing required field: files"])
    uploads = [_uploaded(call.workspace, entry) for entry in listed]
    channel = _destination(call)
    for upload, entry in zip(uploads, listed, strict=True):
        upload.title, upload.completed = str(entry.get("title") or upload.name), True
    described = [file_object(upload, call.base_url) for upload in uploads]
    if channel is not None:
        message = {
            **signature(call.workspace),
            "text": str(call.args.get("initial_comment") or ""),
            "files": described,
            "upload": True,
        }
        if call.args.get("thread_ts"):
            message["thread_ts"] = str(call.args["thread_ts"])
        call.workspace.post(channel.info.id, message)
    return {"files": described}


def _uploaded(workspace: Workspace, entry: Any) -> Upload:
    upload = workspace.files.get(str(entry.get("id"))) if isinstance(entry, dict) else None
    if upload is None or upload.content is None or upload.completed:
        raise SlackError("file_not_found")
    return upload


def _destination(call: ApiRequest) -> Channel | None:
    channel_id = call.args.get("channel_id")
    if not channel_id:
        return None
    channel = call.workspace.channels.get(str(channel_id))
    if channel is None:
        raise SlackError("channel_not_found")
    if call.workspace.seed.bot_user_id not in channel.members:
        raise SlackError("not_in_channel")
    if call.args.get("thread_ts") and str(call.args["thread_ts"]) not in channel.messages:
        raise SlackError("thread_not_found")
    return channel


def _info(call: ApiRequest) -> JsonObject:
    upload = call.workspace.files.get(call.text("file"))
    if upload is None or not upload.completed:
        raise SlackError("file_not_found")
    return {"file": file_object(upload, call.base_url)}


async def receive(api: WebApi, request: web.Request) -> web.Response:
    """Store a file's bytes, raw or as the first part of a form; once only."""
    upload = api.workspace.files.get(request.match_info["file"])
    args = {"file": request.match_info["file"]}
    fault = api.take_fault("upload", args)
    if fault and fault.when == "before":
        return await fault.respond(request)
    if upload is None or upload.content is not None:
        return web.Response(status=404, text="no such upload")
    upload.content = await _content(request)
    api.record("upload", {**args, "size": len(upload.content)}, 200, None)
    if fault:
        return await fault.respond(request)
    return web.Response(text=f"OK - {len(upload.content)}")


async def fetch(api: WebApi, request: web.Request) -> web.Response:
    """Return a file's bytes to a token that may read files; any other gets a login page, as at Slack."""
    token = api.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
    upload = api.workspace.files.get(request.match_info["file"])
    if token is None or "files:read" not in token.scopes:
        return web.Response(text="<html>Sign in</html>", content_type="text/html")
    if upload is None or upload.content is None:
        return web.Response(status=404, text="no such file")
    return web.Response(body=upload.content, content_type="application/octet-stream")


async def _content(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    for field in (await request.post()).values():
        if isinstance(field, web.FileField):
            return field.file.read()
    return b""


METHODS = {
    "files.getUploadURLExternal": Method(_announce, "files:write", tier=4),
    "files.completeUploadExternal": Method(_complete, "files:write", tier=4),
    "files.info": Method(_info, "files:read", tier=4),
}
