"""Changes of a 2Chat group: a call for each thing, and nothing but the description and the picture can be changed."""

import httpx

from providers.base import (
    Action,
    ChangeResult,
    GroupChange,
    InvalidRequest,
    NotSupported,
    OutcomeUnknown,
    ProviderError,
)
from providers.twochat.api import Api, confirmed, group_path
from providers.twochat.errors import words_of


async def change_group(api: Api, group_id: str, change: GroupChange) -> ChangeResult:
    """Make each wanted change; after an error that would meet the others too, none of those is sent."""
    done: list[Action] = []
    failed: dict[Action, ProviderError] = {}
    for action in change.actions:
        try:
            path, body = _call(action, change)
            stop = next((error for error in failed.values() if error.stops_sending), None)
            if stop is not None:
                raise stop
            reply = await api.write(group_path(group_id, path), body)
            confirmed(reply)
            if reply.status == httpx.codes.ACCEPTED:
                raise OutcomeUnknown(
                    "2Chat makes the change later.", code=str(reply.status), provider_text=words_of(reply)
                )
        except ProviderError as error:
            failed[action] = error
        else:
            done.append(action)
    return ChangeResult(tuple(done), failed)


def _call(action: Action, change: GroupChange) -> tuple[str, dict[str, str]]:
    """Give the end of the path and the body (setGroupDescription, setGroupPicture). Raises without a call."""
    if action is Action.DESCRIBE and change.description is not None:
        return "set-description", {"description": change.description}
    if action is Action.PICTURE and change.picture is not None:
        if not change.picture.url:
            raise InvalidRequest("2Chat takes a picture by its address, not as a JPEG.", code="no_address")
        return "set-picture", {"url": change.picture.url}
    raise NotSupported(f"2Chat cannot do this: {action}.", code="not_supported")
