"""Every action as something to do, with the truth by which it is judged."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from providers.base import (
    Account,
    AccountState,
    Action,
    ChangeResult,
    Created,
    GroupChange,
    Operation,
    Outcome,
    PeopleResult,
    ProviderError,
)
from sandbox.providers.world import Disposition
from tests.providers.conformance.world_state import WorldSnapshot, false_statuses, false_verdicts
from tests.providers.harness import (
    ADMIN,
    ALL_PEOPLE,
    MEMBER,
    NO_ACCOUNT,
    OPEN,
    PRIVATE,
    Harness,
    people,
    person,
)
from tests.providers.provider_cases import PROVIDER_CASES

WEEK = 604_800
TEXT = "The bus leaves at 9."
ADDED_PEOPLE = (OPEN, NO_ACCOUNT, PRIVATE)
"""Who is added: one with an account and without a contact, and two who cannot be."""


@dataclass(frozen=True, slots=True)
class ActionCase:
    """One action.

    Attributes:
        do: does it, and gives the answer.
        mistakes_in: gives what is not so in an answer, one line each.
        took_effect: tells whether the world is now as the action wants it; None for a read.
    """

    action: Action
    do: Callable[[Harness], Awaitable[Any]]
    mistakes_in: Callable[[Harness, WorldSnapshot, Any], list[str]]
    took_effect: Callable[[Harness, WorldSnapshot], bool] | None = None
    name: str = ""

    def __str__(self) -> str:
        return self.name or str(self.action)

    async def run_and_find_mistakes(self, harness: Harness, start: WorldSnapshot) -> list[str]:
        """Do it, and give what is not so in the answer, or in the error that came instead of one."""
        try:
            answer = await self.do(harness)
        except ProviderError as error:
            took_effect = self.took_effect is not None and self.took_effect(harness, start)
            return [f"{error!r}, though it took effect"] if took_effect and not leaves_outcome_open(error) else []
        return self.mistakes_in(harness, start, answer)


def leaves_outcome_open(error: ProviderError) -> bool:
    """Return whether an error leaves open what was done."""
    return error.outcome is Outcome.UNKNOWN


async def _groups(harness: Harness) -> Any:
    harness.world.put_group(harness.provider.other, "Night shift", [harness.provider.own or MEMBER, ADMIN])
    return [group async for group in harness.adapter.groups()]


def _false_groups(harness: Harness, _: WorldSnapshot, answer: Any) -> list[str]:
    found = [line for group in answer for line in _false_group(harness, _, group)]
    if len(answer) != len(harness.world.groups):
        found.append(f"{len(answer)} groups of {len(harness.world.groups)}")
    return found


def _false_group(harness: Harness, _: WorldSnapshot, answer: Any) -> list[str]:
    group = harness.world.groups[answer.id]
    told = {
        "subject": (answer.subject, group.subject),
        "size": (answer.size, len(group.members)),
        "description": (answer.description, group.description),
        "announce_only": (answer.announce_only, group.announce_only),
        "locked": (answer.locked, group.locked),
        "ephemeral": (answer.ephemeral, group.ephemeral),
    }
    return [f"{name} {said!r} for {so!r}" for name, (said, so) in told.items() if said not in {None, so}]


async def _members(harness: Harness) -> Any:
    return [member async for member in harness.adapter.members(harness.provider.group)]


def _false_members(harness: Harness, _: WorldSnapshot, answer: Any) -> list[str]:
    by_lid = {f"{harness.world.person(phone).lid}@lid": phone for phone in harness.group.members}
    phones = [m.phone.removeprefix("+") or by_lid.get(m.lid, "nobody") for m in answer]
    found = [] if sorted(phones) == sorted(harness.group.members) else [f"members {phones}"]
    return found + false_statuses(
        harness.world, harness.provider.group, {p: m.status for p, m in zip(phones, answer, strict=True)}
    )


def _about(operation: Operation, *phones: str) -> tuple[Callable[[Harness], Awaitable[Any]], Callable[..., list[str]]]:
    async def do(harness: Harness) -> Any:
        return await getattr(harness.adapter, operation)(harness.provider.group, people(*phones))

    def mistakes_in(harness: Harness, start: WorldSnapshot, answer: PeopleResult) -> list[str]:
        return _false_verdicts(operation, phones, harness.provider.group, harness, start, answer.verdicts)

    return do, mistakes_in


def _false_verdicts(
    operation: Operation, phones: tuple[str, ...], group_id: str, harness: Harness, start: WorldSnapshot, verdicts: Any
) -> list[str]:
    keys = sorted(verdict.key for verdict in verdicts)
    missing = [] if keys == sorted(f"+{phone}" for phone in phones) else [f"verdicts for {keys}"]
    return missing + false_verdicts(operation, group_id, verdicts, harness.world, start)


def _new_groups(harness: Harness, start: WorldSnapshot) -> list[str]:
    return [group_id for group_id in harness.world.groups if group_id not in start.groups]


async def _create(harness: Harness) -> Any:
    return await harness.adapter.create("New team", people(*ADDED_PEOPLE))


async def _create_community(harness: Harness) -> Any:
    return await harness.adapter.create_community("Neighbours", people(*ADDED_PEOPLE))


def _false_creation(harness: Harness, start: WorldSnapshot, answer: Created) -> list[str]:
    new = [*_new_groups(harness, start), ""][0]
    wrong = [] if answer.group is None or answer.group.id == new else [f"{answer.group} for {new!r}"]
    return wrong + _false_verdicts(Operation.ADD, ADDED_PEOPLE, new, harness, start, answer.verdicts)


NEW_SETTINGS: Mapping[Action, tuple[str, Any]] = {
    Action.RENAME: ("subject", "Evening team"),
    Action.DESCRIBE: ("description", "The rota of the evening"),
    Action.ANNOUNCE_ONLY: ("announce_only", True),
    Action.LOCK: ("locked", True),
    Action.EPHEMERAL: ("ephemeral", WEEK),
    Action.PICTURE: ("picture", None),
}
"""What each setting is changed to, by the name that it has in a change and in the world."""


def change_of(harness: Harness, *actions: Action) -> GroupChange:
    wanted: dict[str, Any] = dict(NEW_SETTINGS[action] for action in actions)
    wanted |= {"picture": harness.provider.picture} if Action.PICTURE in actions else {}
    return GroupChange(**wanted)


def changed(harness: Harness, action: Action) -> bool:
    name, value = NEW_SETTINGS[action]
    now = getattr(harness.group, name)
    return bool(now) if value is None else bool(now == value)


def false_changes(harness: Harness, _: WorldSnapshot, answer: ChangeResult) -> list[str]:
    """Return the changes that were reported as done but are not, or as failed but are done."""
    found = [f"{action} is not done" for action in answer.done if not changed(harness, action)]
    certain = [action for action, error in answer.failed.items() if not leaves_outcome_open(error)]
    return found + [
        f"{action} is done, for all of {answer.failed[action]!r}" for action in certain if changed(harness, action)
    ]


def _setting(action: Action) -> ActionCase:
    async def do(harness: Harness) -> Any:
        answer = await harness.adapter.change(harness.provider.group, change_of(harness, action))
        assert {*answer.done, *answer.failed} == {action}
        return answer

    return ActionCase(action, do, false_changes, lambda harness, _: changed(harness, action))


async def _join(harness: Harness) -> Any:
    harness.world.put_group(harness.provider.other, "Other team", [MEMBER], left_by_account=True)
    return await harness.adapter.join(f"https://chat.whatsapp.com/{harness.world.invite_of(harness.provider.other)}")


def _invite(harness: Harness, _: WorldSnapshot, answer: str) -> list[str]:
    right = f"https://chat.whatsapp.com/{harness.world.invite_of(harness.provider.group)}"
    return [] if answer == right else [f"{answer} for {right}"]


def _gone(harness: Harness, _: WorldSnapshot) -> bool:
    group = harness.world.groups.get(harness.provider.group)
    return group is None or group.left_by_account


async def _check(harness: Harness) -> Any:
    return await harness.adapter.check_numbers(people(*ALL_PEOPLE))


def _false_checks(harness: Harness, _: WorldSnapshot, answer: Any) -> list[str]:
    found = [] if sorted(answer) == sorted(f"+{phone}" for phone in ALL_PEOPLE) else [f"checks of {sorted(answer)}"]
    for key, check in answer.items():
        human = harness.world.person(key.removeprefix("+"))
        if check.on_whatsapp not in {None, human.disposition is not Disposition.NO_ACCOUNT}:
            found.append(f"{key} {check}")
        if check.lid not in {"", f"{human.lid}@lid"} or check.phone not in {"", key}:
            found.append(f"{key} {check}")
    return found


def _nothing(*_: Any) -> list[str]:
    return []


def _plain(
    action: Action, do: Callable[[Harness], Awaitable[Any]], took_effect: Callable[[Harness, WorldSnapshot], bool]
) -> ActionCase:
    """Make the task of an action whose answer, whatever it says, claims that it was done."""

    def mistakes_in(harness: Harness, start: WorldSnapshot, answer: object) -> list[str]:
        return [] if took_effect(harness, start) else [f"nothing happened, though the answer is {answer!r}"]

    return ActionCase(action, do, mistakes_in, took_effect)


def _false_account(_: Harness, __: WorldSnapshot, answer: Account) -> list[str]:
    return [] if answer.state in {AccountState.CONNECTED, AccountState.UNKNOWN} else [str(answer)]


def _joined(harness: Harness, _: WorldSnapshot) -> bool:
    return not harness.world.groups[harness.provider.other].left_by_account


def _sent(*, to_group: bool) -> Callable[[Harness, WorldSnapshot], bool]:
    def sent(harness: Harness, start: WorldSnapshot) -> bool:
        new = harness.world.sent[start.sent :]
        assert len(new) <= 1, "sent twice"
        return [(s.to, s.text) for s in new] == [(harness.provider.group if to_group else MEMBER, TEXT)]

    return sent


def _created(harness: Harness, start: WorldSnapshot) -> bool:
    new = _new_groups(harness, start)
    assert len(new) <= 1, "made twice"
    return bool(new)


_MEMBERSHIP = ActionCase(
    Action.LIST_MEMBERS,
    lambda harness: harness.adapter.membership(harness.provider.group, people(*ALL_PEOPLE)),
    lambda harness, _, answer: (
        false_statuses(harness.world, harness.provider.group, answer)
        + ([] if len(answer) == len(ALL_PEOPLE) else [f"standings of {sorted(answer)}"])
    ),
    name="standing",
)

ACTION_CASES: tuple[ActionCase, ...] = (
    ActionCase(Action.LIST_GROUPS, _groups, _false_groups),
    ActionCase(Action.READ_GROUP, lambda harness: harness.adapter.group(harness.provider.group), _false_group),
    ActionCase(Action.LIST_MEMBERS, _members, _false_members),
    _MEMBERSHIP,
    ActionCase(Action.ADD, *_about(Operation.ADD, *ADDED_PEOPLE), lambda harness, _: OPEN in harness.group.members),
    ActionCase(Action.REMOVE, *_about(Operation.REMOVE, MEMBER, ADMIN), lambda harness, _: not harness.roles()),
    ActionCase(
        Action.PROMOTE, *_about(Operation.PROMOTE, MEMBER), lambda harness, _: harness.roles()[MEMBER] == "admin"
    ),
    ActionCase(Action.DEMOTE, *_about(Operation.DEMOTE, ADMIN), lambda harness, _: harness.roles()[ADMIN] == "member"),
    ActionCase(Action.CREATE, _create, _false_creation, _created),
    *(_setting(action) for action in NEW_SETTINGS),
    ActionCase(Action.READ_INVITE, lambda harness: harness.adapter.invite_link(harness.provider.group), _invite),
    ActionCase(
        Action.RESET_INVITE,
        lambda harness: harness.adapter.reset_invite_link(harness.provider.group),
        _invite,
        lambda harness, start: harness.group.invite != start.groups[harness.provider.group].invite,
    ),
    ActionCase(
        Action.JOIN,
        _join,
        lambda harness, _, answer: [] if answer is None or answer.id == harness.provider.other else [str(answer)],
        _joined,
    ),
    _plain(Action.LEAVE, lambda harness: harness.adapter.leave(harness.provider.group), _gone),
    _plain(Action.DELETE, lambda harness: harness.adapter.delete(harness.provider.group), _gone),
    ActionCase(Action.CHECK_NUMBERS, _check, _false_checks),
    _plain(
        Action.SEND_TO_GROUP,
        lambda harness: harness.adapter.send_to_group(harness.provider.group, TEXT),
        _sent(to_group=True),
    ),
    _plain(
        Action.SEND_TO_PERSON,
        lambda harness: harness.adapter.send_to_person(person(MEMBER), TEXT),
        _sent(to_group=False),
    ),
    ActionCase(Action.ACCOUNT, lambda harness: harness.adapter.account(), _false_account),
    ActionCase(Action.LIMITS, lambda harness: harness.adapter.limits(), _nothing),
    ActionCase(Action.CREATE_COMMUNITY, _create_community, _false_creation, _created),
    ActionCase(
        Action.ADD_TO_COMMUNITY,
        lambda harness: harness.adapter.add_to_community(harness.provider.group, people(*ADDED_PEOPLE)),
        lambda harness, start, answer: _false_verdicts(
            Operation.ADD, ADDED_PEOPLE, harness.provider.group, harness, start, answer.verdicts
        ),
        lambda harness, _: OPEN in harness.group.members,
    ),
    ActionCase(
        Action.REMOVE_FROM_COMMUNITY,
        lambda harness: harness.adapter.remove_from_community(harness.provider.group, people(MEMBER, ADMIN)),
        lambda harness, start, answer: _false_verdicts(
            Operation.REMOVE, (MEMBER, ADMIN), harness.provider.group, harness, start, answer.verdicts
        ),
        lambda harness, _: not harness.roles(),
    ),
)

PROVIDER_ACTIONS = [
    (provider, case)
    for provider in PROVIDER_CASES.values()
    for case in ACTION_CASES
    if case.action in provider.abilities
]
PROVIDER_ACTION_IDS = [f"{provider.name}-{case}" for provider, case in PROVIDER_ACTIONS]
