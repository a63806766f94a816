"""Who may do what: a person's roles, the capability that an operation needs, and the groups that a role covers."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from providers.base import Ability

MAX_ASKED = 5
"""Maximum people and user groups to whom a person without permission is referred."""
MENTION = re.compile(r"<(?:@|!subteam\^)(\w+)>")
"""A mention of a user or a user group, as `mention` writes it."""


class Capability(StrEnum):
    """A permission of a role. Providers need the first three; the others are Rollcall's own."""

    GROUPS_READ = "groups:read"
    GROUPS_WRITE = "groups:write"
    SEND = "send"
    APPROVE = "approve"
    AUDIT_READ = "audit:read"
    ADMIN = "admin"

    @classmethod
    def required_by(cls, ability: Ability) -> "Capability":
        """Return the capability that a provider's action needs."""
        return cls(ability.capability.value)


@dataclass(frozen=True, slots=True)
class Role:
    """The permissions of its members. `members` are ids of Slack users and user groups, `groups` globs."""

    name: str
    members: frozenset[str]
    capabilities: frozenset[Capability]
    groups: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True)
class Actor:
    """A person who does something: the Slack user id, and the ids of their user groups."""

    user_id: str
    usergroups: frozenset[str] = frozenset()

    def has_role(self, role: Role) -> bool:
        """Return whether the person has this role, by id or through a user group."""
        return self.user_id in role.members or not self.usergroups.isdisjoint(role.members)


@dataclass(frozen=True, slots=True)
class Target:
    """A group, by the names that its admins can't change: alias and id."""

    names: tuple[str, ...]

    def matches(self, globs: Iterable[str]) -> bool:
        """Return whether one of `globs` matches one of the names."""
        return any(fnmatchcase(name, glob) for glob in globs for name in self.names)


class DenialCode(StrEnum):
    """Why a person lacks permission."""

    NO_ROLE = "no_role"
    NO_CAPABILITY = "no_capability"
    OTHER_GROUPS = "other_groups"
    PROVIDER_CANNOT = "provider_cannot"


@dataclass(frozen=True, slots=True)
class Allowed:
    """The person has permission."""


@dataclass(frozen=True, slots=True)
class Denied:
    """The person lacks permission.

    Attributes:
        reason: why, as a sentence for them.
        ask: the ids of the users and user groups who have the permission; None if the question doesn't arise.
    """

    code: DenialCode
    reason: str
    ask: tuple[str, ...] | None = None

    @property
    def text(self) -> str:
        """The reason, and whom to ask, for Slack."""
        return self.reason if self.ask is None else f"{self.reason} {whom_to_ask(self.ask)}"


Decision = Allowed | Denied


def check_capability(actor: Actor, capability: Capability, target: Target | None, roles: Sequence[Role]) -> Decision:
    """Check whether a person may use `capability` on `target`; None for any group.

    No capability implies another one: `admin` alone doesn't allow adding people to a group.
    """
    own = [role for role in roles if actor.has_role(role)]
    able = [role for role in own if capability in role.capabilities]
    if any(_covers(role, target) for role in able):
        return Allowed()
    able_roles = [role for role in roles if capability in role.capabilities and _covers(role, target)]
    members = (member for role in able_roles for member in sorted(role.members, key=_people_first))
    ask = tuple(dict.fromkeys(member for member in members if member != actor.user_id))
    if able:
        names = ", ".join(f"`{role.name}`" for role in able)
        reason = f"You have `{capability}` through {names}, but not for this group."
        return Denied(DenialCode.OTHER_GROUPS, reason, ask)
    if own:
        reason = f"This needs the capability `{capability}`, which your roles don't have."
        return Denied(DenialCode.NO_CAPABILITY, reason, ask)
    return Denied(DenialCode.NO_ROLE, f"You don't have access yet. This needs the capability `{capability}`.", ask)


def whom_to_ask(members: Sequence[str]) -> str:
    """Return a sentence with the first of the users and user groups to ask."""
    if not members:
        return "No one has this permission. Ask the person who runs Rollcall to change its configuration."
    *others, last = map(mention, members[:MAX_ASKED])
    return f"Ask {', '.join(others)} or {last}." if others else f"Ask {last}."


def mention(member: str) -> str:
    """Mention a user or a user group (docs.slack.dev, "Formatting message text")."""
    return f"<!subteam^{member}>" if member.startswith("S") else f"<@{member}>"


def _people_first(member: str) -> tuple[bool, str]:
    return member.startswith("S"), member


def _covers(role: Role, target: Target | None) -> bool:
    return target is None or target.matches(role.groups)
