"""Changes of a group's subject, description and settings at the WhatsApp Gateway (`updateGroup`)."""

from collections.abc import Mapping

from providers.base import (
    AccountDisconnected,
    Action,
    ChangeResult,
    GroupChange,
    InvalidRequest,
    NotGroupAdmin,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    RateLimited,
)
from providers.wagateway.api import Api, group_path, not_group_admin
from providers.wagateway.errors import outcome_unknown
from providers.wagateway.models import GroupRecord

_Fields = Mapping[Action, Mapping[str, object]]
"""The field of the body for each change, by its action."""


async def change_group(api: Api, group_id: str, change: GroupChange) -> ChangeResult:
    """Make the changes. After a description was cleared, the group is read: the gateway may ignore an empty text."""
    result = await _change_together(api, group_id, _fields(change))
    if change.description != "" or Action.DESCRIBE not in result.done or await _is_cleared(api, group_id):
        return result
    done = tuple(action for action in result.done if action is not Action.DESCRIBE)
    error = OutcomeUnknown("The gateway accepted the change but doesn't show that the description was cleared.")
    return ChangeResult(done, {**result.failed, Action.DESCRIBE: error})


def _fields(change: GroupChange) -> _Fields:
    fields: Mapping[Action, tuple[str, object]] = {
        Action.RENAME: ("subject", change.subject),
        Action.DESCRIBE: ("description", change.description),
        Action.ANNOUNCE_ONLY: ("announce", change.announce_only),
        Action.LOCK: ("locked", change.locked),
    }
    return {action: {name: value} for action, (name, value) in fields.items() if value is not None}


async def _is_cleared(api: Api, group_id: str) -> bool:
    """Return whether the stored group (`getGroup`) has an empty description."""
    try:
        reply = await api.read(group_path(group_id))
        return reply.parse(GroupRecord).description == ""
    except ProviderError:
        return False


async def _change_together(api: Api, group_id: str, fields: _Fields) -> ChangeResult:
    """Make the changes in one call.

    The gateway applies the fields one after another. It doesn't document the order, nor what happens to the others if
    one is rejected. A 400 may be about one field, and so may a 403 to an account that isn't an admin: the contract says
    that most settings need one. Each field is then sent alone; setting it to the same value again does no harm.
    A session may be disconnected (501) or reach its rate (429) between two fields, which leaves all of them unknown.
    """
    if not fields:
        return ChangeResult((), {})
    try:
        group = group_path(group_id)
        body = {name: value for field in fields.values() for name, value in field.items()}
        await api.write_as_admin("PATCH", group, "", body=body)
    except (InvalidRequest, NotGroupAdmin) as error:
        if len(fields) > 1:
            return await _change_one_by_one(api, group, fields)
        return ChangeResult((), dict.fromkeys(fields, error))
    except ProviderError as error:
        may_be_partial = isinstance(error, AccountDisconnected | RateLimited) and len(fields) > 1
        return ChangeResult((), dict.fromkeys(fields, outcome_unknown(error) if may_be_partial else error))
    return ChangeResult(tuple(fields), {})


async def _change_one_by_one(api: Api, group: str, fields: _Fields) -> ChangeResult:
    """Make each change alone. After an error that isn't a rejection, what the first call did to the rest is unknown."""
    done: list[Action] = []
    failed: dict[Action, ProviderError] = {}
    for action, body in fields.items():
        try:
            await api.write("PATCH", group, body=body)
        except PermissionMissing as error:
            failed[action] = not_group_admin(error)
        except InvalidRequest as error:
            failed[action] = error
        except ProviderError as error:
            rest = [left for left in fields if left not in done and left not in failed]
            return ChangeResult(tuple(done), failed | dict.fromkeys(rest, outcome_unknown(error)))
        else:
            done.append(action)
    return ChangeResult(tuple(done), failed)
