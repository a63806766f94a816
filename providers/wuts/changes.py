"""Changes of a WUTS group: the call for each change, and the result of each."""

import base64
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from providers.base import (
    Action,
    ChangeResult,
    GroupChange,
    InvalidRequest,
    NotSupported,
    PermissionMissing,
    ProviderError,
)
from providers.http import Reply
from providers.responses import outcome_unknown
from providers.wuts.api import Api, check_done, group_path
from providers.wuts.models import ChangedReply

EPHEMERAL_SECONDS = (0, 86_400, 604_800, 7_776_000)
"""The values that `setGroupEphemeral` takes: off, 1, 7 and 90 days."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that makes one or more changes, each a field of its body."""

    method: str
    path: str
    wanted: Mapping[Action, tuple[str, Any]]

    def split(self) -> Iterator["_Call"]:
        """Yield a call for each change."""
        return (_Call(self.method, self.path, {action: value}) for action, value in self.wanted.items())


async def change_group(api: Api, group_id: str, change: GroupChange) -> ChangeResult:
    """Make the changes in as few calls as the contract has: one for name, topic and announce mode.

    Whether a rejected call with several changes made some of them is not documented. They are then sent one by one,
    because sending a change twice does no harm.
    """
    failed: dict[Action, ProviderError] = dict(_unsupported(change))
    done: list[Action] = []
    calls = deque(_calls(group_path(group_id), change, failed))
    stop: ProviderError | None = None
    while calls:
        call = calls.popleft()
        try:
            if stop is not None:
                raise stop
            reply = await api.write(call.method, call.path, dict(call.wanted.values()))
            check_done(reply)
            shown = _shown(reply)
        except ProviderError as error:
            if stop is None and len(call.wanted) > 1 and isinstance(error, InvalidRequest | PermissionMissing):
                calls.extendleft(reversed([*call.split()]))
                continue
            failed |= dict.fromkeys(call.wanted, error)
            stop = error if error.stops_sending else stop
            continue
        for action, (_, value) in call.wanted.items():
            if shown.get(action) in {None, value}:
                done.append(action)
            else:
                failed[action] = outcome_unknown(
                    reply, "WUTS reports a success but shows the group without the change", reply.text
                )
    return ChangeResult(tuple(done), failed)


def _unsupported(change: GroupChange) -> Iterator[tuple[Action, ProviderError]]:
    """Yield the changes that fail without a call."""
    if change.locked is not None:
        message = "WUTS doesn't document how to lock the info of a group."
        yield Action.LOCK, NotSupported(message, code="not_supported")
    if change.picture is not None and not change.picture.jpeg:
        yield Action.PICTURE, InvalidRequest("WUTS needs a JPEG, not the address of a picture.")
    if change.ephemeral is not None and change.ephemeral not in EPHEMERAL_SECONDS:
        yield Action.EPHEMERAL, InvalidRequest("WUTS can set messages to disappear after 1, 7 or 90 days, or never.")


def _calls(path: str, change: GroupChange, failed: Mapping[Action, ProviderError]) -> Iterator[_Call]:
    together = {
        Action.RENAME: ("name", change.subject),
        Action.DESCRIBE: ("topic", change.description),
        Action.ANNOUNCE_ONLY: ("announcement", change.announce_only),
    }
    if wanted := {action: named for action, named in together.items() if named[1] is not None}:
        yield _Call("PATCH", path, wanted)
    if change.picture is not None and Action.PICTURE not in failed:
        jpeg = base64.b64encode(change.picture.jpeg).decode()
        yield _Call("POST", f"{path}/picture", {Action.PICTURE: ("image_base64", jpeg)})
    if change.ephemeral is not None and Action.EPHEMERAL not in failed:
        yield _Call("PUT", f"{path}/ephemeral", {Action.EPHEMERAL: ("duration_seconds", change.ephemeral)})


def _shown(reply: Reply) -> Mapping[Action, Any]:
    """Return the group's values in the response. Raises `OutcomeUnknown` if it can't be read."""
    answer = reply.parse_result(ChangedReply)
    timer = {Action.EPHEMERAL: answer.duration_seconds}
    if answer.group is None:
        return timer
    group = answer.group
    return {**timer, Action.RENAME: group.name, Action.DESCRIBE: group.topic, Action.ANNOUNCE_ONLY: group.is_announce}
