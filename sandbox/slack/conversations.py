"""The Web API's `conversations.*`, `users.*`, `usergroups.*`, `auth.test` methods.

Source: https://docs.slack.dev/reference/methods
"""

import base64
from typing import Any

from sandbox.slack.chat import visible
from sandbox.slack.errors import SlackError
from sandbox.slack.web_api import ApiRequest, JsonObject, Method
from sandbox.slack.workspace import Channel, Message, User

MAX_PAGE = 999


def channel_object(channel: Channel, bot: str) -> dict[str, Any]:
    """Return a channel as Slack describes it."""
    info = channel.info
    if info.kind == "im":
        return {"id": info.id, "is_im": True, "user": info.user, "is_archived": False}
    private = info.kind == "groups"
    return {
        "id": info.id,
        "name": info.name,
        "name_normalized": info.name,
        "is_channel": not private,
        "is_group": private,
        "is_im": False,
        "is_private": private,
        "is_archived": False,
        "is_member": bot in channel.members,
        "num_members": len(channel.members),
    }


def user_object(user: User, team: str, *, email: bool) -> dict[str, Any]:
    """Return a person as Slack describes them, with the email address only if the token may read it."""
    profile = {"real_name": user.real_name, "display_name": user.name, "team": team}
    return {
        "id": user.id,
        "team_id": team,
        "name": user.name,
        "deleted": False,
        "real_name": user.real_name,
        "tz": user.tz,
        "tz_label": user.tz_label,
        "tz_offset": user.tz_offset,
        "profile": {**profile, "email": user.email} if email else profile,
        "is_bot": user.is_bot,
        "is_admin": False,
        "is_restricted": False,
    }


def _info(call: ApiRequest) -> JsonObject:
    channel = call.channel(member=False)
    call.require_scope(f"{channel.info.kind}:read")
    return {"channel": channel_object(channel, call.workspace.seed.bot_user_id)}


def _history(call: ApiRequest) -> JsonObject:
    channel = call.channel(member=True)
    call.require_scope(f"{channel.info.kind}:history")
    tops = [m for m in channel.messages.values() if m.get("thread_ts", m["ts"]) == m["ts"]]
    newest_first = [m for m in reversed(tops) if _within(call, m)]
    return _page(call, newest_first)


def _replies(call: ApiRequest) -> JsonObject:
    channel, ts = call.channel(member=True), call.text("ts")
    call.require_scope(f"{channel.info.kind}:history")
    message = channel.messages.get(ts)
    if message is None:
        raise SlackError("thread_not_found")
    thread = call.workspace.thread(channel.info.id, message.get("thread_ts", ts))
    return _page(call, [m for m in thread if m["ts"] == thread[0]["ts"] or _within(call, m)])


def _within(call: ApiRequest, message: Message) -> bool:
    ts, oldest, latest = float(message["ts"]), call.args.get("oldest"), call.args.get("latest")
    if call.flag("inclusive"):
        return (not oldest or ts >= float(oldest)) and (not latest or ts <= float(latest))
    return (not oldest or ts > float(oldest)) and (not latest or ts < float(latest))


def _members(call: ApiRequest) -> JsonObject:
    channel = call.channel(member=False)
    call.require_scope(f"{channel.info.kind}:read")
    start, limit = _position(str(call.args.get("cursor") or "")), call.number("limit", 100)
    if not 1 <= limit <= MAX_PAGE:
        raise SlackError("invalid_limit")
    members = sorted(channel.members)
    cursor = _cursor(start + limit) if start + limit < len(members) else ""
    return {"members": members[start : start + limit], "response_metadata": {"next_cursor": cursor}}


def _page(call: ApiRequest, messages: list[Message]) -> JsonObject:
    limit = call.number("limit", 100)
    if not 1 <= limit <= MAX_PAGE:
        raise SlackError("invalid_limit")
    start = _position(str(call.args.get("cursor") or ""))
    metadata = call.flag("include_all_metadata")
    page = [visible(m, metadata=metadata) for m in messages[start : start + limit]]
    answer: JsonObject = {"messages": page, "has_more": start + limit < len(messages)}
    if answer["has_more"]:
        answer["response_metadata"] = {"next_cursor": _cursor(start + limit)}
    return answer


def _cursor(position: int) -> str:
    return base64.b64encode(f"next:{position}".encode()).decode()


def _position(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
    except ValueError:
        raise SlackError("invalid_cursor") from None


def _open(call: ApiRequest) -> JsonObject:
    user = call.workspace.users.get(call.text("users"))
    if user is None:
        raise SlackError("user_not_found")
    channel = call.workspace.im(user.id)
    if call.flag("return_im"):
        return {"channel": channel_object(channel, call.workspace.seed.bot_user_id)}
    return {"channel": {"id": channel.info.id}}


def _user(call: ApiRequest) -> JsonObject:
    user = call.workspace.users.get(call.text("user"))
    if user is None:
        raise SlackError("user_not_found")
    email = "users:read.email" in call.token.scopes
    return {"user": user_object(user, call.workspace.seed.team_id, email=email)}


def _profile(call: ApiRequest) -> JsonObject:
    user = call.workspace.users.get(call.text("user"))
    if user is None:
        raise SlackError("user_not_found")
    names = {"real_name": user.real_name, "display_name": user.name}
    return {"profile": {**names, "phone": user.phone, "title": user.title}}


def _groups(call: ApiRequest) -> JsonObject:
    groups = []
    for group in call.workspace.groups.values():
        described: dict[str, Any] = {
            "id": group.id,
            "team_id": call.workspace.seed.team_id,
            "is_usergroup": True,
            "handle": group.handle,
            "name": group.name,
            "user_count": len(group.users),
            "date_delete": 0,
        }
        if call.flag("include_users"):
            described["users"] = list(group.users)
        groups.append(described)
    return {"usergroups": groups}


def _group_users(call: ApiRequest) -> JsonObject:
    group = call.workspace.groups.get(call.text("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}


def _auth(call: ApiRequest) -> JsonObject:
    seed = call.workspace.seed
    return {
        "url": f"https://{seed.team_domain}.slack.com/",
        "team": seed.team_name,
        "user": call.workspace.users[seed.bot_user_id].name,
        "team_id": seed.team_id,
        "user_id": seed.bot_user_id,
        "bot_id": seed.bot_id,
        "is_enterprise_install": False,
    }


METHODS = {
    "auth.test": Method(_auth, tier=4),
    "conversations.info": Method(_info, tier=3),
    "conversations.history": Method(_history, tier=3),
    "conversations.replies": Method(_replies, tier=3),
    "conversations.members": Method(_members, tier=4),
    "conversations.open": Method(_open, "im:write", tier=3),
    "users.info": Method(_user, "users:read", tier=4),
    "users.profile.get": Method(_profile, "users.profile:read", tier=4),
    "usergroups.list": Method(_groups, "usergroups:read", tier=2),
    "usergroups.users.list": Method(_group_users, "usergroups:read", tier=2),
}
