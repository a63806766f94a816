"""One change of a group, in as few calls as the server takes."""

from collections.abc import Awaitable, Callable, Mapping

import httpx

from providers.base import (
    Action,
    ChangeResult,
    Group,
    GroupChange,
    InvalidRequest,
    NotSupported,
    OutcomeUnknown,
    ProviderError,
)
from providers.http import Reply
from providers.wasend.api import Api, Call
from providers.wasend.errors import NO_SUCH_PATH, OF_ADMINS, accepted, unknown_after
from providers.wasend.replies import ChangeReply
from providers.wasend.variants import Point, Variant

LONGEST_SUBJECT = 25
"""Characters of a subject (set-subject page, `subjectMaxLength`)."""

_FLAGS = (Action.ANNOUNCE_ONLY, Action.LOCK)

_SHOWN: Mapping[Action, Callable[[Group | GroupChange], object]] = {
    Action.RENAME: lambda shown: shown.subject,
    Action.DESCRIBE: lambda shown: shown.description,
    Action.ANNOUNCE_ONLY: lambda shown: shown.announce_only,
    Action.LOCK: lambda shown: shown.locked,
}
"""What a change and a group that was read have in common."""


class Changing:
    """One change of one group, under way.

    Only the two flags can be set together, and by the documentation only (setGroupSettings). A server without that
    call takes them one by one, as both sources have it.

    The documentation's answers say what is so now; the SDK throws the answers away, so a server may answer with
    nothing. No error is no proof: then the group is read back, once for all changes.

    Args:
        api: where to send.
        group_id: the group's JID.
        change: what is wanted.
        read: reads the group.
    """

    def __init__(self, api: Api, group_id: str, change: GroupChange, read: Callable[[], Awaitable[Group]]) -> None:
        self._api = api
        self._read = read
        self._group_id = group_id
        self._change = change
        self._done: set[Action] = set()
        self._failed: dict[Action, ProviderError] = {}
        self._silent: dict[Action, ProviderError] = {}
        self._refused_both = False

    async def run(self) -> ChangeResult:
        """Make each wanted change, and tell what became of it. After an error that stops the sender nothing is sent."""
        wanted = self._change.actions
        if set(_FLAGS) <= set(wanted):
            await self._try(_FLAGS)
        for action in wanted:
            if action not in self._done and action not in self._failed and action not in self._silent:
                await self._try((action,))
        if self._silent:
            await self._read_back()
        return ChangeResult(tuple(action for action in wanted if action in self._done), self._failed)

    async def _try(self, actions: tuple[Action, ...]) -> None:
        try:
            stopped = next((error for error in self._failed.values() if error.stops_sending), None)
            if stopped is not None:
                raise stopped
            happened = await self._do(actions)
        except _Silence as silence:
            self._silent |= dict.fromkeys(actions, silence)
        except ProviderError as error:
            self._failed |= dict.fromkeys(actions, error)
        else:
            self._done |= set(actions) if happened else set()

    async def _read_back(self) -> None:
        """Count as done what the group shows; the rest stays open, for a read may be late."""
        try:
            group = await self._read() if self._silent.keys() & _SHOWN.keys() else None
        except ProviderError:
            group = None
        for action, error in self._silent.items():
            shown = _SHOWN.get(action)
            if group and shown and shown(group) == shown(self._change):
                self._done.add(action)
            else:
                self._failed[action] = error

    async def _do(self, actions: tuple[Action, ...]) -> bool:
        change = self._change
        match actions:
            case (Action.RENAME,):
                return await self._rename(change.subject or "")
            case (Action.DESCRIBE,):
                return await self._describe(change.description or "")
            case (Action.PICTURE,):
                if not change.picture or not change.picture.url:
                    raise NotSupported("Wasend takes a picture by its address only.", code="not_supported")
                return await self._put("/picture", {"url": change.picture.url}, {})
            case (Action.ANNOUNCE_ONLY,):
                return await self._flag("messages-admin-only", wanted=bool(change.announce_only))
            case (Action.LOCK,):
                return await self._flag("info-admin-only", wanted=bool(change.locked))
            case (Action.ANNOUNCE_ONLY, Action.LOCK):
                return await self._both_flags(announce_only=bool(change.announce_only), locked=bool(change.locked))
            case _:
                raise NotSupported("Wasend has no call to change disappearing messages.", code="not_supported")

    async def _rename(self, subject: str) -> bool:
        if len(subject) > LONGEST_SUBJECT:
            raise InvalidRequest(f"Wasend takes at most {LONGEST_SUBJECT} characters for a name.", code="too_long")
        return await self._put("/subject", {"subject": subject}, {"subject": subject})

    async def _describe(self, description: str) -> bool:
        """Set the description, by a call that only the SDK has, and whose answer and longest text nobody describes."""
        reply = await self._api.send(self._call("/description", {"description": description}))
        if reply.status in NO_SUCH_PATH:
            raise await self._api.without_path(self._group_id, reply)
        return await self._confirmed(reply, {})

    async def _flag(self, name: str, *, wanted: bool) -> bool:
        reply = await self._api.send(self._call(f"/settings/security/{name}", {"enabled": wanted}))
        if self._refused_both and reply.ok:  # the group is there, so it was the call that was not
            self._api.dialect.learn(Point.FLAGS, Variant.SDK)
        return await self._confirmed(reply, {"enabled": wanted})

    async def _both_flags(self, *, announce_only: bool, locked: bool) -> bool:
        """Set both flags in one call; False where this server has no such call, or is not known to have it."""
        dialect = self._api.dialect
        if dialect.order(Point.FLAGS)[0] is Variant.SDK:
            return False
        flags = {"messagesAdminOnly": announce_only, "infoAdminOnly": locked}
        reply = await self._api.send(self._call("/settings", flags))
        if reply.status in NO_SUCH_PATH and not dialect.knows(Point.FLAGS):
            self._refused_both = True
            return False
        happened = await self._confirmed(reply, flags)
        dialect.learn(Point.FLAGS, Variant.DOCS)
        return happened

    async def _put(self, rest: str, body: Mapping[str, object], told: Mapping[str, object]) -> bool:
        return await self._confirmed(await self._api.send(self._call(rest, body)), told)

    async def _confirmed(self, reply: Reply, wanted: Mapping[str, object]) -> bool:
        """Hold a 2xx answer to what was wanted, as far as it tells; a 202 tells that it is to be done.

        Raises:
            OutcomeUnknown: it tells of another state, or nothing that can be read.
        """
        answer = accepted(await self._api.checked(reply, OF_ADMINS), ChangeReply)
        if reply.status == httpx.codes.ACCEPTED:
            raise _Silence("Wasend makes the change later.", code=str(reply.status))
        told = answer.model_dump() | answer.settings.model_dump(by_alias=True)
        if any(told.get(name) not in {None, value} for name, value in wanted.items()):
            raise unknown_after(reply, "Wasend's answer shows another value")
        if not answer.success and (not wanted or any(told.get(name) is None for name in wanted)):
            raise _Silence("Wasend's answer does not say that it did it.", code=str(reply.status))
        return True

    def _call(self, rest: str, body: Mapping[str, object]) -> Call:
        return Call("PUT", self._api.path(self._group_id, rest), body)


class _Silence(OutcomeUnknown):
    """A 2xx answer that does not say that it happened, nor that it did not."""
