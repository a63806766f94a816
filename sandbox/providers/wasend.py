"""A simulated Wasend (contract `contracts/wasend.openapi.yaml`): a session and its groups, numbers and texts."""

import re
from typing import Any

from aiohttp import web

from sandbox.providers.wasend_people import People
from sandbox.providers.wasend_records import (
    Record,
    group_info,
    group_record,
    member_record,
    message_record,
    session_record,
)
from sandbox.providers.wasend_session import STATES, ResultIds, WasendSession, body_of, own_membership
from sandbox.providers.wasend_settings import Settings
from sandbox.providers.world import Disposition, Effect, Membership, SimGroup

__all__ = ["ResultIds", "WasendServer"]

PAGE = 50

# What WhatsApp says of people who could not be added; whether the SDK's `error` is that, the contract leaves open.
_CODES = {Effect.PRIVATE: 403, Effect.NO_ACCOUNT: 404, Effect.RECENTLY_LEFT: 408, Effect.BLOCKED: 401}

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_DIGITS = re.compile(r"[1-9][0-9]{6,14}")


class WasendServer(WasendSession):
    """Wasend with one session. Sorting, `search`, `status` and `tags` of the group list are not simulated."""

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of the contract that an adapter has a use for."""
        group = "/{session}/groups/{group}"
        return [
            web.get("/sessions/{session}", self._get_session),
            web.get("/contacts/check-exists", self._check),
            web.post("/sendText", self._send_text),
            web.get("/{session}/groups", self._list_groups),
            web.post("/{session}/groups", self._create),
            web.get(f"{group}/info", self.only("read", "docs", self.for_group(self._get_group_info))),
            web.get(group, self.only("read", "sdk", self.for_group(self._get_group))),
            *People(self).routes(),
            *Settings(self).routes(),
        ]

    async def _get_session(self, request: web.Request) -> web.Response:
        if request.match_info["session"] != self.session:
            return self.error(404, message="Session not found")
        return web.json_response(session_record(self.session, STATES[self.account_state], self.variant))

    async def _check(self, request: web.Request) -> web.Response:
        if (refusal := self.session_refusal(request.query.get("session"))) is not None:
            return refusal
        phone = request.query.get("phone", "")
        if not _DIGITS.fullmatch(phone):
            return self.error(400)
        if self.world.person(phone).disposition is Disposition.NO_ACCOUNT:
            return web.json_response({"exists": False, "phone": phone})
        return web.json_response({"exists": True, "phone": phone, "jid": f"{phone}@c.us"})

    async def _send_text(self, request: web.Request) -> web.Response:
        body = body_of(await request.read()) or {}
        if (refusal := self.session_refusal(body.get("session"))) is not None:
            return refusal
        to, text = str(body.get("to", "")), body.get("text")
        if not isinstance(text, str) or not text:
            return self.error(400)
        if to.endswith("@g.us"):
            group = self.world.groups.get(to)
            if group is None or group.left_by_account:
                return self.error(404)
        elif not _PHONE.fullmatch(to):
            return self.error(400)
        self.world.send(to.removeprefix("+"), text)
        return web.json_response(message_record(len(self.world.sent), to, text))

    async def _list_groups(self, request: web.Request) -> web.Response:
        if (refusal := self.session_refusal(request.match_info["session"])) is not None:
            return refusal
        query = request.query
        try:
            limit, offset = int(query.get("limit", PAGE)), int(query.get("offset", 0))
        except ValueError:
            return self.error(400)
        found = [group for group in self.world.groups.values() if not group.left_by_account]
        # The documentation does not say how arrays are written; the SDK writes `exclude[]`.
        bare = "participants" in (*query.getall("exclude", ()), *query.getall("exclude[]", ()))
        page = [self._record(group, bare=bare) for group in found[offset : offset + limit]]
        if self.variant == "sdk":
            return web.json_response(page)
        more = offset + len(page) < len(found)
        pagination = {"total": len(found), "limit": limit, "offset": offset, "hasMore": more}
        return web.json_response({"groups": page, "pagination": pagination})

    async def _create(self, request: web.Request) -> web.Response:
        if (refusal := self.session_refusal(request.match_info["session"])) is not None:
            return refusal
        body = body_of(await request.read()) or {}
        name, asked = body.get("name"), body.get("participants")
        if not isinstance(name, str) or not name or not isinstance(asked, list):
            return self.error(400)
        phones = [phone for phone in map(self._asked_phone, asked) if phone]
        if len(phones) < len(asked):
            return self.error(400)
        group_id = f"12036399{len(self.world.groups):010}@g.us"
        effects = self.world.create_group(group_id, name, phones)
        group = self.world.groups[group_id]
        group.members = {(own := own_membership()).phone: own, **group.members}
        group.description = str(body.get("description", ""))
        refused = [self._refused(phone, effect) for phone, effect in effects.items() if effect in _CODES]
        rows = [self.member(member) for member in group.members.values()] + (refused if self.lists_refused else [])
        return web.json_response(group_record(group, rows, self.variant))

    @staticmethod
    def _asked_phone(item: Any) -> str | None:
        asked = str(item.get("id")) if isinstance(item, dict) else ""
        return asked.removeprefix("+") if _PHONE.fullmatch(asked) else None

    def _refused(self, phone: str, effect: Effect) -> Record:
        row = member_record(Membership(phone), self.world.person(phone).lid, self.variant)
        return row | ({"error": _CODES[effect]} if self.variant == "sdk" else {})

    def _get_group(self, _: web.Request, group: SimGroup, __: Record) -> web.Response:
        return web.json_response(self._record(group))

    def _get_group_info(self, _: web.Request, group: SimGroup, __: Record) -> web.Response:
        return web.json_response({"success": True, "info": group_info(group, self.members(group))})

    def _record(self, group: SimGroup, *, bare: bool = False) -> Record:
        return group_record(group, [] if bare else self.members(group), self.variant)
