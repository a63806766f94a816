"""The Web API's `chat.*` methods, and the text of messages.

Source: https://docs.slack.dev/messaging/formatting-message-text (`&`, `<` and `>` must be escaped) and
https://docs.slack.dev/reference/methods/chat.postMessage and its neighbours. A repeated `client_msg_id` is
posted again: de-duplication is not documented.
"""

import re
from collections.abc import Iterator
from typing import Any

from sandbox.slack.blocks import check_message, with_ids
from sandbox.slack.errors import SlackError
from sandbox.slack.web_api import ApiRequest, JsonObject, Method
from sandbox.slack.workspace import Channel, Message, Workspace

MAX_TEXT_CHARACTERS = 40_000
MAX_UPDATE_CHARACTERS = 4_000
UNBOUNDED = 10**9

_SEQUENCE = re.compile(
    r"<(?:@[UW][A-Z0-9]+|#[CG][A-Z0-9]+|!subteam\^S[A-Z0-9]+|!here|!channel|!everyone|!date\^\d+\^[^|>]+\|[^>]+"
    r"|(?:https?://|mailto:|tel:)[^|>]+)(?:\|[^>]*)?>"
)
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")


def oddities(text: str) -> list[str]:
    """Return what is odd in a text: a bare `<` or `&`, for example in a provider's message."""
    rest = _SEQUENCE.sub("", text)
    found = []
    if "<" in rest:
        found.append(f"unescaped < in {text!r}")
    if _ENTITY.search(rest):
        found.append(f"unescaped & in {text!r}")
    return found


def texts(blocks: Any) -> Iterator[str]:
    """Yield every mrkdwn text within blocks."""
    if isinstance(blocks, dict):
        if blocks.get("type") == "mrkdwn":
            yield str(blocks.get("text", ""))
        else:
            for field in blocks.values():
                yield from texts(field)
    elif isinstance(blocks, list):
        for item in blocks:
            yield from texts(item)


def content(workspace: Workspace, raw: JsonObject, *, longest_blocks: int | None = None) -> Message:
    """Check the content of a message and return it: `text`, and `blocks` with ids and `attachments` if it has any.

    Args:
        workspace: the workspace, whose `oddities` note what is odd.
        raw: the arguments, JSON already parsed.
        longest_blocks: the maximum length of the serialized blocks, if it differs from a posted message's.

    Raises:
        Refused: `no_text`, `msg_too_long`, or what is wrong with the blocks.
    """
    text, blocks, attachments = str(raw.get("text") or ""), raw.get("blocks"), raw.get("attachments")
    if not (text or blocks or attachments):
        raise SlackError("no_text")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise SlackError("msg_too_long")
    message: Message = {"text": text}
    if blocks is not None:
        bound = {} if longest_blocks is None else {"longest": longest_blocks}
        check_message(blocks, **bound)
        message["blocks"] = with_ids(blocks, workspace.names("b"))
        if blocks and not text:
            workspace.oddities.append("blocks without text")
    if attachments:
        message["attachments"] = attachments
    for shown in (text, *texts(blocks)):
        workspace.oddities.extend(oddities(shown))
    return message


def signature(workspace: Workspace) -> Message:
    """Return the fields that mark a message as the app's own."""
    seed = workspace.seed
    profile = {"id": seed.bot_id, "app_id": seed.app_id, "name": "Rollcall", "team_id": seed.team_id}
    return {"user": seed.bot_user_id, "bot_id": seed.bot_id, "app_id": seed.app_id, "bot_profile": profile}


def visible(message: Message, *, metadata: bool = False) -> Message:
    """Return a message as Slack returns it, with its metadata only if requested."""
    return {name: value for name, value in message.items() if metadata or name != "metadata"}


def _content(call: ApiRequest) -> Message:
    return content(
        call.workspace,
        {
            "text": call.args.get("text"),
            "blocks": call.parsed("blocks", "invalid_blocks_format"),
            "attachments": call.parsed("attachments", "invalid_attachments"),
        },
    )


def _metadata(call: ApiRequest) -> Any:
    metadata = call.parsed("metadata", "invalid_metadata_format")
    if not metadata:
        return metadata
    well_formed = isinstance(metadata, dict) and isinstance(metadata.get("event_type"), str)
    if not well_formed or not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    return metadata


def _parent(channel: Channel, thread_ts: str) -> Message:
    parent = channel.messages.get(thread_ts)
    if parent is None:
        raise SlackError("thread_not_found")
    if parent.get("thread_ts", thread_ts) != thread_ts:
        raise SlackError("cannot_reply_to_message")
    return parent


def _post(call: ApiRequest) -> JsonObject:
    channel = _destination(call)
    message = {**signature(call.workspace), **_content(call)}
    if call.args.get("thread_ts"):
        message["thread_ts"] = _parent(channel, str(call.args["thread_ts"]))["ts"]
    if call.args.get("client_msg_id"):
        message["client_msg_id"] = call.args["client_msg_id"]
    if metadata := _metadata(call):
        message["metadata"] = metadata
    posted = call.workspace.post(channel.info.id, message)
    return {"channel": channel.info.id, "ts": posted["ts"], "message": visible(posted, metadata=True)}


def _destination(call: ApiRequest) -> Channel:
    name = str(call.args.get("channel", ""))
    user = call.workspace.users.get(name)
    if user is not None and not user.is_bot:
        return call.workspace.im(name)
    return call.channel(member="chat:write.public" not in call.token.scopes)


def _own(call: ApiRequest, error: str) -> tuple[Channel, Message]:
    channel = call.channel(member=False)
    message = channel.messages.get(call.text("ts"))
    if message is None:
        raise SlackError("message_not_found")
    if message.get("bot_id") != call.workspace.seed.bot_id:
        raise SlackError(error)
    return channel, message


def _update(call: ApiRequest) -> JsonObject:
    channel, message = _own(call, "cant_update_message")
    if len(str(call.args.get("text") or "")) > MAX_UPDATE_CHARACTERS:
        raise SlackError("msg_too_long")
    new = _content(call)
    metadata = _metadata(call)
    if "blocks" not in new and new["text"]:
        message.pop("blocks", None)
    if "blocks" not in new:
        seed = call.workspace.seed
        message["edited"] = {"user": seed.bot_user_id, "ts": call.workspace.new_ts()}
    message.update(new)
    if metadata is not None:
        message["metadata"] = metadata
    if not message.get("metadata", True):
        del message["metadata"]
    call.workspace.changed()
    shown = visible(message, metadata=True)
    return {"channel": channel.info.id, "ts": message["ts"], "text": message["text"], "message": shown}


def _delete(call: ApiRequest) -> JsonObject:
    channel, message = _own(call, "cant_delete_message")
    del channel.messages[message["ts"]]
    call.workspace.changed()
    return {"channel": channel.info.id, "ts": message["ts"]}


def _post_ephemeral(call: ApiRequest) -> JsonObject:
    channel, user = call.channel(member=True), call.text("user")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    message = {**signature(call.workspace), **_content(call)}
    if call.args.get("thread_ts"):
        message["thread_ts"] = str(call.args["thread_ts"])
    return {"message_ts": call.workspace.post_ephemeral(user, channel.info.id, message)["ts"]}


def _permalink(call: ApiRequest) -> JsonObject:
    channel = call.channel(member=False)
    message = channel.messages.get(call.text("message_ts"))
    if message is None:
        raise SlackError("message_not_found")
    channel_id, ts = channel.info.id, message["ts"]
    link = f"https://{call.workspace.seed.team_domain}.slack.com/archives/{channel_id}/p{ts.replace('.', '')}"
    if message.get("thread_ts", ts) != ts:
        link += f"?thread_ts={message['thread_ts']}&cid={channel_id}"
    return {"channel": channel_id, "permalink": link}


METHODS = {
    "chat.postMessage": Method(_post, "chat:write", tier=0),
    "chat.update": Method(_update, "chat:write", tier=3),
    "chat.delete": Method(_delete, "chat:write", tier=3),
    "chat.postEphemeral": Method(_post_ephemeral, "chat:write", tier=4),
    "chat.getPermalink": Method(_permalink, tier=4),
}
