"""Changes of a Wasend group, in as few calls as the server takes."""

from collections.abc import Awaitable, Callable, Mapping

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
from providers.wasend.errors import ADMIN_CALL, NO_SUCH_PATH, parse_success, unknown_after
from providers.wasend.models import ChangeReply
from providers.wasend.variants import ApiVariant, Endpoint

MAX_SUBJECT_LENGTH = 25
"""The maximum length of a subject in characters (set-subject page, `subjectMaxLength`)."""

_FLAGS = (Action.ANNOUNCE_ONLY, Action.LOCK)

_VALUES: Mapping[Action, Callable[[Group | GroupChange], object]] = {
    Action.RENAME: lambda group: group.subject,
    Action.DESCRIBE: lambda group: group.description,
    Action.ANNOUNCE_ONLY: lambda group: group.announce_only,
    Action.LOCK: lambda group: group.locked,
}
"""The value of an action, in a change and in a group that was read."""


class GroupUpdate:
    """One change of one group in progress.

    Only the two flags can be set together, and only by the documentation (setGroupSettings). A server without that call
    takes them one by one, as in both sources.

    The documentation's responses show the new values. The SDK ignores the responses, so a server may send an empty one.
    The absence of an error proves nothing: the group is then read, once for all changes.

    Args:
        api: the API of the session.
        group_id: the group's JID.
        change: the wanted values.
        read_group: reads the group.
    """

    def __init__(
        self, api: Api, group_id: str, change: GroupChange, read_group: Callable[[], Awaitable[Group]]
    ) -> None:
        self._api = api
        self._read_group = read_group
        self._group_id = group_id
        self._change = change
        self._done: set[Action] = set()
        self._failed: dict[Action, ProviderError] = {}
        self._unconfirmed: dict[Action, ProviderError] = {}
        self._no_call_for_both = False

    async def run(self) -> ChangeResult:
        """Make each wanted change. After an error that stops sending, nothing more is sent."""
        wanted = self._change.actions
        if set(_FLAGS) <= set(wanted):
            await self._try(_FLAGS)
        for action in wanted:
            if action not in self._done and action not in self._failed and action not in self._unconfirmed:
                await self._try((action,))
        if self._unconfirmed:
            await self._read_back()
        return ChangeResult(tuple(action for action in wanted if action in self._done), self._failed)

    async def _try(self, actions: tuple[Action, ...]) -> None:
        try:
            stopped = next((error for error in self._failed.values() if error.stops_sending), None)
            if stopped is not None:
                raise stopped
            done = await self._do(actions)
        except _Unconfirmed as error:
            self._unconfirmed |= dict.fromkeys(actions, error)
        except ProviderError as error:
            self._failed |= dict.fromkeys(actions, error)
        else:
            self._done |= set(actions) if done else set()

    async def _read_back(self) -> None:
        """Record the changes that the group shows as done. The others stay unknown, because a read may be late."""
        try:
            group = await self._read_group() if self._unconfirmed.keys() & _VALUES.keys() else None
        except ProviderError:
            group = None
        for action, error in self._unconfirmed.items():
            value_of = _VALUES.get(action)
            if group and value_of and value_of(group) == value_of(self._change):
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
                    raise NotSupported("Wasend needs the address of a picture, not a JPEG.", code="not_supported")
                return await self._put("/picture", {"url": change.picture.url}, {})
            case (Action.ANNOUNCE_ONLY,):
                return await self._flag("messages-admin-only", wanted=bool(change.announce_only))
            case (Action.LOCK,):
                return await self._flag("info-admin-only", wanted=bool(change.locked))
            case (Action.ANNOUNCE_ONLY, Action.LOCK):
                return await self._both_flags(announce_only=bool(change.announce_only), locked=bool(change.locked))
            case _:
                raise NotSupported("Wasend can't change disappearing messages.", code="not_supported")

    async def _rename(self, subject: str) -> bool:
        if len(subject) > MAX_SUBJECT_LENGTH:
            raise InvalidRequest(
                f"Wasend takes group names of at most {MAX_SUBJECT_LENGTH} characters.", code="too_long"
            )
        return await self._put("/subject", {"subject": subject}, {"subject": subject})

    async def _describe(self, description: str) -> bool:
        """Set the description. Only the SDK has this call; its response and its maximum length are not documented."""
        reply = await self._api.send(self._call("/description", {"description": description}))
        if reply.status in NO_SUCH_PATH:
            raise await self._api.error_for_no_path(self._group_id, reply)
        return await self._confirm(reply, {})

    async def _flag(self, name: str, *, wanted: bool) -> bool:
        reply = await self._api.send(self._call(f"/settings/security/{name}", {"enabled": wanted}))
        if self._no_call_for_both and reply.ok:  # the group exists, so it was the call that didn't
            self._api.variants.learn(Endpoint.FLAGS, ApiVariant.SDK)
        return await self._confirm(reply, {"enabled": wanted})

    async def _both_flags(self, *, announce_only: bool, locked: bool) -> bool:
        """Set both flags in one call. Return False if this server doesn't have the call, or isn't known to have it."""
        variants = self._api.variants
        if variants.order(Endpoint.FLAGS)[0] is ApiVariant.SDK:
            return False
        flags = {"messagesAdminOnly": announce_only, "infoAdminOnly": locked}
        reply = await self._api.send(self._call("/settings", flags))
        if reply.status in NO_SUCH_PATH and not variants.is_known(Endpoint.FLAGS):
            self._no_call_for_both = True
            return False
        done = await self._confirm(reply, flags)
        variants.learn(Endpoint.FLAGS, ApiVariant.DOCS)
        return done

    async def _put(self, rest: str, body: Mapping[str, object], confirmed_by: Mapping[str, object]) -> bool:
        return await self._confirm(await self._api.send(self._call(rest, body)), confirmed_by)

    async def _confirm(self, reply: Reply, wanted: Mapping[str, object]) -> bool:
        """Check that a 2xx response shows the wanted values. A 202 only says that the change will be made.

        Raises:
            OutcomeUnknown: the response shows other values, or nothing that can be read.
        """
        answer = parse_success(await self._api.check(reply, ADMIN_CALL), ChangeReply)
        if reply.accepted_for_later:
            raise _Unconfirmed("Wasend will make the change later.", code=str(reply.status))
        shown = answer.model_dump() | answer.settings.model_dump(by_alias=True)
        if any(shown.get(name) not in {None, value} for name, value in wanted.items()):
            raise unknown_after(reply, "Wasend's answer shows another value")
        if not answer.success and (not wanted or any(shown.get(name) is None for name in wanted)):
            raise _Unconfirmed("Wasend's answer doesn't confirm the change.", code=str(reply.status))
        return True

    def _call(self, rest: str, body: Mapping[str, object]) -> Call:
        return Call("PUT", self._api.path(self._group_id, rest), body)


class _Unconfirmed(OutcomeUnknown):
    """A 2xx response that says neither that the change was made nor that it wasn't."""
