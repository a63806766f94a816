"""Changes of a WUTS group: which call does which, and what each wanted change came to."""

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
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
)
from providers.http import Reply
from providers.wuts.api import Api, group_path, parsed, settled
from providers.wuts.models import ChangedAnswer

EPHEMERAL_SECONDS = (0, 86_400, 604_800, 7_776_000)
"""What `setGroupEphemeral` takes: off, 1, 7 and 90 days."""


@dataclass(frozen=True, slots=True)
class _Call:
    """One call that does one or more changes, each a field of its body."""

    method: str
    path: str
    wanted: Mapping[Action, tuple[str, Any]]

    def apart(self) -> Iterator["_Call"]:
        """Give one call for each change."""
        return (_Call(self.method, self.path, {action: value}) for action, value in self.wanted.items())


async def change_group(api: Api, group_id: str, change: GroupChange) -> ChangeResult:
    """Make the changes in as few calls as the contract has: one for name, topic and announce mode together.

    Whether a refused call of several changes did some of them is not documented, so they are then sent one by one: a
    change is the same when it is sent twice.
    """
    failed: dict[Action, ProviderError] = dict(_impossible(change))
    done: list[Action] = []
    calls = deque(_calls(group_path(group_id), change, failed))
    stop: ProviderError | None = None
    while calls:
        call = calls.popleft()
        try:
            if stop is not None:
                raise stop
            reply = await api.write(call.method, call.path, dict(call.wanted.values()))
            settled(reply)
            shown = _shown(reply)
        except ProviderError as error:
            if stop is None and len(call.wanted) > 1 and isinstance(error, InvalidRequest | PermissionMissing):
                calls.extendleft(reversed([*call.apart()]))
                continue
            failed |= dict.fromkeys(call.wanted, error)
            stop = error if error.stops_sending else stop
            continue
        for action, (_, value) in call.wanted.items():
            if shown.get(action) in {None, value}:
                done.append(action)
            else:
                failed[action] = _contradicted(reply)
    return ChangeResult(tuple(done), failed)


def _impossible(change: GroupChange) -> Iterator[tuple[Action, ProviderError]]:
    """Give the changes that need no call to be refused."""
    if change.locked is not None:
        message = "WUTS does not tell how a group that exists is locked."
        yield Action.LOCK, NotSupported(message, code="not_supported")
    if change.picture is not None and not change.picture.jpeg:
        yield Action.PICTURE, InvalidRequest("WUTS takes a picture as a JPEG, not as an address.")
    if change.ephemeral is not None and change.ephemeral not in EPHEMERAL_SECONDS:
        yield Action.EPHEMERAL, InvalidRequest("WUTS lets messages disappear after 1, 7 or 90 days, or never.")


def _calls(path: str, change: GroupChange, without: Mapping[Action, ProviderError]) -> Iterator[_Call]:
    together = {
        Action.RENAME: ("name", change.subject),
        Action.DESCRIBE: ("topic", change.description),
        Action.ANNOUNCE_ONLY: ("announcement", change.announce_only),
    }
    if wanted := {action: named for action, named in together.items() if named[1] is not None}:
        yield _Call("PATCH", path, wanted)
    if change.picture is not None and Action.PICTURE not in without:
        jpeg = base64.b64encode(change.picture.jpeg).decode()
        yield _Call("POST", f"{path}/picture", {Action.PICTURE: ("image_base64", jpeg)})
    if change.ephemeral is not None and Action.EPHEMERAL not in without:
        yield _Call("PUT", f"{path}/ephemeral", {Action.EPHEMERAL: ("duration_seconds", change.ephemeral)})


def _shown(reply: Reply) -> Mapping[Action, Any]:
    """Give what the answer shows of the group now. Raises `OutcomeUnknown` where it cannot be read."""
    answer = parsed(reply, ChangedAnswer)
    timer = {Action.EPHEMERAL: answer.duration_seconds}
    if answer.group is None:
        return timer
    group = answer.group
    return {**timer, Action.RENAME: group.name, Action.DESCRIBE: group.topic, Action.ANNOUNCE_ONLY: group.is_announce}


def _contradicted(reply: Reply) -> OutcomeUnknown:
    message = "WUTS reports a success, and shows the group without the change."
    return OutcomeUnknown(message, code=str(reply.status), provider_text=reply.text)
