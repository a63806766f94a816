"""Changing a group's subject, description and settings at the WhatsApp Gateway (`updateGroup`)."""

from collections.abc import Mapping
from types import MappingProxyType

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
from providers.wagateway.api import Gateway, group_path
from providers.wagateway.errors import outcome_unknown
from providers.wagateway.models import GroupRow

_FIELDS: Mapping[Action, tuple[str, str]] = MappingProxyType(
    {
        Action.RENAME: ("subject", "subject"),
        Action.DESCRIBE: ("description", "description"),
        Action.ANNOUNCE_ONLY: ("announce", "announce_only"),
        Action.LOCK: ("locked", "locked"),
    }
)
"""The field of the request, and the attribute of `GroupChange`."""


async def carry_out(gateway: Gateway, group_id: str, change: GroupChange) -> ChangeResult:
    """Make the changes; a description that was to be cleared is looked at, for an empty one may be passed over."""
    result = await _apply(gateway, group_id, change)
    if change.description != "" or Action.DESCRIBE not in result.done or await _is_cleared(gateway, group_id):
        return result
    done = tuple(action for action in result.done if action is not Action.DESCRIBE)
    error = OutcomeUnknown("The gateway does not show that the description was cleared.")
    return ChangeResult(done, {**result.failed, Action.DESCRIBE: error})


async def _is_cleared(gateway: Gateway, group_id: str) -> bool:
    """Tell whether the stored group (`getGroup`) has an empty description."""
    try:
        reply = await gateway.read(group_path(group_id))
        return reply.parse(GroupRow).description == ""
    except ProviderError:
        return False


async def _apply(gateway: Gateway, group_id: str, change: GroupChange) -> ChangeResult:
    """Make the changes in one call.

    The gateway applies the fields one after another and does not say in which order, nor what became of the others
    when one is refused. So after a refusal that may be of one field (400, or 403 to an account that is no admin: the
    contract says that most settings need one) each is sent alone; setting it to the same value again does no harm.
    A session that is not connected (501) may have been lost between two fields, and so may the session's rate have been
    used up (429): that leaves all of them open.
    """
    wanted = {action: _body(action, change) for action in change.actions if action in _FIELDS}
    if not wanted:
        return ChangeResult((), {})
    try:
        group = group_path(group_id)
        body = {name: value for field in wanted.values() for name, value in field.items()}
        await gateway.write_as_admin("PATCH", group, "", body=body)
    except (InvalidRequest, NotGroupAdmin) as error:
        return (
            ChangeResult((), dict.fromkeys(wanted, error)) if len(wanted) == 1 else await _each(gateway, group, wanted)
        )
    except ProviderError as error:
        cut_off = isinstance(error, AccountDisconnected | RateLimited) and len(wanted) > 1
        return ChangeResult((), dict.fromkeys(wanted, outcome_unknown(error) if cut_off else error))
    return ChangeResult(tuple(wanted), {})


async def _each(gateway: Gateway, group: str, wanted: Mapping[Action, Mapping[str, object]]) -> ChangeResult:
    """Make each change alone. After another error than a refusal, what the first call did to the rest stays open."""
    done: list[Action] = []
    failed: dict[Action, ProviderError] = {}
    for action, body in wanted.items():
        try:
            await gateway.write("PATCH", group, body=body)
        except PermissionMissing as error:
            message = "The account is not an admin of the group."
            failed[action] = NotGroupAdmin(message, code=error.code, provider_text=error.provider_text)
        except InvalidRequest as error:
            failed[action] = error
        except ProviderError as error:
            rest = [left for left in wanted if left not in done and left not in failed]
            return ChangeResult(tuple(done), failed | dict.fromkeys(rest, outcome_unknown(error)))
        else:
            done.append(action)
    return ChangeResult(tuple(done), failed)


def _body(action: Action, change: GroupChange) -> Mapping[str, object]:
    field, attribute = _FIELDS[action]
    return {field: getattr(change, attribute)}
