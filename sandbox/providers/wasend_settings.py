"""What a simulated Wasend changes about a group, and its invites."""

from collections.abc import Callable

from aiohttp import web

from sandbox.providers.wasend_records import Record, flags, joined_record
from sandbox.providers.wasend_session import WasendSession, body_of
from sandbox.providers.world import SimGroup

LONGEST_SUBJECT = 25


class Settings:
    """The calls about a group itself.

    Args:
        server: the session that they are made of.
    """

    def __init__(self, server: WasendSession) -> None:
        self._server = server

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of a group's settings, its invite code, joining and leaving."""
        server, group = self._server, "/{session}/groups/{group}"
        security = f"{group}/settings/security"

        def put(rest: str, change: Callable[[web.Request, SimGroup, Record], web.Response]) -> web.RouteDef:
            return web.put(rest, server.for_group(change, admins=True))

        both = server.only("settings", "docs", server.for_group(self._set_both, admins=True))
        return [
            put(f"{group}/subject", self._rename),
            put(f"{group}/description", self._describe),
            put(f"{group}/picture", self._set_picture),
            web.put(f"{group}/settings", both),
            put(f"{security}/info-admin-only", self._lock),
            put(f"{security}/messages-admin-only", self._announce),
            web.get(f"{group}/invite-code", server.for_group(self._invite, admins=True)),
            web.post(f"{group}/invite-code/revoke", server.for_group(self._reset_invite, admins=True)),
            web.post(f"{group}/leave", server.for_group(self._leave)),
            web.post("/{session}/groups/join", self._join),
        ]

    def _rename(self, _: web.Request, group: SimGroup, body: Record) -> web.Response:
        subject = body.get("subject")
        if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
            return self._server.error(400)
        group.subject = subject
        return self._server.done(subject=subject, message="Updated")

    def _describe(self, _: web.Request, group: SimGroup, body: Record) -> web.Response:
        if self._server.lacks_description:
            return self._server.error(self._server.absent_status, message="Not found")
        if not isinstance(body.get("description"), str):
            return self._server.error(400)
        group.description = body["description"]
        return web.Response(status=200)

    def _set_picture(self, _: web.Request, group: SimGroup, body: Record) -> web.Response:
        url = body.get("url")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            return self._server.error(400)
        group.picture = url
        return self._server.done(url=url, message="Updated")

    def _set_both(self, _: web.Request, group: SimGroup, body: Record) -> web.Response:
        locked, announce_only = body.get("infoAdminOnly"), body.get("messagesAdminOnly")
        if not isinstance(locked, bool) or not isinstance(announce_only, bool):
            return self._server.error(400)
        group.locked, group.announce_only = locked, announce_only
        return self._server.done(settings=flags(group), message="Updated")

    def _lock(self, _: web.Request, group: SimGroup, body: Record) -> web.Response:
        return self._set_flag(group, body, "locked")

    def _announce(self, _: web.Request, group: SimGroup, body: Record) -> web.Response:
        return self._set_flag(group, body, "announce_only")

    def _set_flag(self, group: SimGroup, body: Record, name: str) -> web.Response:
        if not isinstance(body.get("enabled"), bool):
            return self._server.error(400)
        setattr(group, name, body["enabled"])
        return self._server.done(enabled=body["enabled"], message="Updated")

    def _invite(self, _: web.Request, group: SimGroup, __: Record) -> web.Response:
        return self._code(self._server.world.invite_of(group.id))

    def _reset_invite(self, _: web.Request, group: SimGroup, __: Record) -> web.Response:
        return self._code(self._server.world.reset_invite(group.id))

    def _code(self, code: str) -> web.Response:
        if self._server.variant == "docs":
            return web.json_response({"success": True, "inviteCode": code})
        return web.json_response(code) if self._server.quotes_codes else web.Response(text=code)

    def _leave(self, _: web.Request, group: SimGroup, __: Record) -> web.Response:
        group.left_by_account = True
        return self._server.done(message="Left the group")

    async def _join(self, request: web.Request) -> web.Response:
        server = self._server
        if (refusal := server.session_refusal(request.match_info["session"])) is not None:
            return refusal
        body = body_of(await request.read()) or {}
        shape = server.mixed.get("join", server.variant)
        said = body.get("code") if shape == "sdk" else body.get("inviteCode") or body.get("inviteLink")
        if not isinstance(said, str):
            return server.error(400)
        group = server.world.group_of_invite(said)
        if group is None:
            return server.error(400, message="Invalid invite")
        group.left_by_account = False
        return web.json_response(joined_record(group, server.world.visible_members(group.id), shape))
