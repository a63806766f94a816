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
from tests.providers.conformance.kits import (
    ADMIN,
    EVERYBODY,
    KITS,
    MEMBER,
    NO_ACCOUNT,
    OPEN,
    PRIVATE,
    Desk,
    people,
    person,
)
from tests.providers.conformance.truth import Start, lies, misread

WEEK = 604_800
TEXT = "The bus leaves at 9."
GIVEN = (OPEN, NO_ACCOUNT, PRIVATE)
"""Who is added: one with an account and without a contact, and two who cannot be."""


@dataclass(frozen=True, slots=True)
class Task:
    """One action.

    Attributes:
        do: does it, and gives the answer.
        untrue: gives what is not so in an answer, one line each.
        took_effect: tells whether the world is now as the action wants it; None for a read.
    """

    action: Action
    do: Callable[[Desk], Awaitable[Any]]
    untrue: Callable[[Desk, Start, Any], list[str]]
    took_effect: Callable[[Desk, Start], bool] | None = None
    name: str = ""

    def __str__(self) -> str:
        return self.name or str(self.action)

    async def lies(self, desk: Desk, start: Start) -> list[str]:
        """Do it, and give what is not so in the answer, or in the error that came instead of one."""
        try:
            answer = await self.do(desk)
        except ProviderError as error:
            took_effect = self.took_effect is not None and self.took_effect(desk, start)
            return [f"{error!r}, though it took effect"] if took_effect and not is_open(error) else []
        return self.untrue(desk, start, answer)


def is_open(error: ProviderError) -> bool:
    """Tell whether an error leaves open what was done."""
    return error.outcome is Outcome.UNKNOWN


async def _groups(desk: Desk) -> Any:
    return [group async for group in desk.adapter.groups()]


def _false_groups(desk: Desk, _: Start, answer: Any) -> list[str]:
    found = [line for group in answer for line in _false_group(desk, _, group)]
    if len(answer) != len(desk.world.groups):
        found.append(f"{len(answer)} groups of {len(desk.world.groups)}")
    return found


def _false_group(desk: Desk, _: Start, answer: Any) -> list[str]:
    group = desk.world.groups[answer.id]
    told = {
        "subject": (answer.subject, group.subject),
        "size": (answer.size, len(group.members)),
        "description": (answer.description, group.description),
        "announce_only": (answer.announce_only, group.announce_only),
        "locked": (answer.locked, group.locked),
        "ephemeral": (answer.ephemeral, group.ephemeral),
    }
    return [f"{name} {said!r} for {so!r}" for name, (said, so) in told.items() if said not in {None, so}]


async def _members(desk: Desk) -> Any:
    return [member async for member in desk.adapter.members(desk.kit.group)]


def _false_members(desk: Desk, _: Start, answer: Any) -> list[str]:
    by_lid = {f"{desk.world.human(phone).lid}@lid": phone for phone in desk.group.members}
    phones = [m.phone.removeprefix("+") or by_lid.get(m.lid, "nobody") for m in answer]
    found = [] if sorted(phones) == sorted(desk.group.members) else [f"members {phones}"]
    return found + misread(desk.world, desk.kit.group, {p: m.status for p, m in zip(phones, answer, strict=True)})


def _about(operation: Operation, *phones: str) -> tuple[Callable[[Desk], Awaitable[Any]], Callable[..., list[str]]]:
    async def do(desk: Desk) -> Any:
        return await getattr(desk.adapter, operation)(desk.kit.group, people(*phones))

    def untrue(desk: Desk, start: Start, answer: PeopleResult) -> list[str]:
        return _false_verdicts(operation, phones, desk.kit.group, desk, start, answer.verdicts)

    return do, untrue


def _false_verdicts(
    operation: Operation, phones: tuple[str, ...], group_id: str, desk: Desk, start: Start, verdicts: Any
) -> list[str]:
    keys = sorted(verdict.key for verdict in verdicts)
    missing = [] if keys == sorted(f"+{phone}" for phone in phones) else [f"verdicts for {keys}"]
    return missing + lies(operation, group_id, verdicts, desk.world, start)


def _new_groups(desk: Desk, start: Start) -> list[str]:
    return [group_id for group_id in desk.world.groups if group_id not in start.groups]


async def _create(desk: Desk) -> Any:
    return await desk.adapter.create("New team", people(*GIVEN))


async def _create_community(desk: Desk) -> Any:
    return await desk.adapter.create_community("Neighbours", people(*GIVEN))


def _false_creation(desk: Desk, start: Start, answer: Created) -> list[str]:
    new = [*_new_groups(desk, start), ""][0]
    wrong = [] if answer.group is None or answer.group.id == new else [f"{answer.group} for {new!r}"]
    return wrong + _false_verdicts(Operation.ADD, GIVEN, new, desk, start, answer.verdicts)


WANTED: Mapping[Action, tuple[str, Any]] = {
    Action.RENAME: ("subject", "Evening team"),
    Action.DESCRIBE: ("description", "The rota of the evening"),
    Action.ANNOUNCE_ONLY: ("announce_only", True),
    Action.LOCK: ("locked", True),
    Action.EPHEMERAL: ("ephemeral", WEEK),
    Action.PICTURE: ("picture", None),
}
"""What each setting is changed to, by the name that it has in a change and in the world."""


def change_of(desk: Desk, *actions: Action) -> GroupChange:
    wanted: dict[str, Any] = dict(WANTED[action] for action in actions)
    wanted |= {"picture": desk.kit.picture} if Action.PICTURE in actions else {}
    return GroupChange(**wanted)


def changed(desk: Desk, action: Action) -> bool:
    name, value = WANTED[action]
    now = getattr(desk.group, name)
    return bool(now) if value is None else bool(now == value)


def false_changes(desk: Desk, _: Start, answer: ChangeResult) -> list[str]:
    """Give the changes that are called done and are not, or called failed for certain and are done."""
    found = [f"{action} is not done" for action in answer.done if not changed(desk, action)]
    certain = [action for action, error in answer.failed.items() if not is_open(error)]
    return found + [
        f"{action} is done, for all of {answer.failed[action]!r}" for action in certain if changed(desk, action)
    ]


def _setting(action: Action) -> Task:
    async def do(desk: Desk) -> Any:
        answer = await desk.adapter.change(desk.kit.group, change_of(desk, action))
        assert {*answer.done, *answer.failed} == {action}
        return answer

    return Task(action, do, false_changes, lambda desk, _: changed(desk, action))


async def _join(desk: Desk) -> Any:
    desk.world.put_group(desk.kit.other, "Other team", [MEMBER], left_by_account=True)
    return await desk.adapter.join(f"https://chat.whatsapp.com/{desk.world.invite_of(desk.kit.other)}")


def _invite(desk: Desk, _: Start, answer: str) -> list[str]:
    right = f"https://chat.whatsapp.com/{desk.world.invite_of(desk.kit.group)}"
    return [] if answer == right else [f"{answer} for {right}"]


def _gone(desk: Desk, _: Start) -> bool:
    group = desk.world.groups.get(desk.kit.group)
    return group is None or group.left_by_account


async def _check(desk: Desk) -> Any:
    return await desk.adapter.check_numbers(people(*EVERYBODY))


def _false_checks(desk: Desk, _: Start, answer: Any) -> list[str]:
    found = [] if sorted(answer) == sorted(f"+{phone}" for phone in EVERYBODY) else [f"checks of {sorted(answer)}"]
    for key, check in answer.items():
        human = desk.world.human(key.removeprefix("+"))
        if check.on_whatsapp not in {None, human.disposition is not Disposition.NO_ACCOUNT}:
            found.append(f"{key} {check}")
        if check.lid not in {"", f"{human.lid}@lid"} or check.phone not in {"", key}:
            found.append(f"{key} {check}")
    return found


def _nothing(*_: Any) -> list[str]:
    return []


def _plain(action: Action, do: Callable[[Desk], Awaitable[Any]], took_effect: Callable[[Desk, Start], bool]) -> Task:
    """Make the task of an action whose answer, whatever it says, claims that it was done."""

    def untrue(desk: Desk, start: Start, answer: object) -> list[str]:
        return [] if took_effect(desk, start) else [f"nothing happened, though the answer is {answer!r}"]

    return Task(action, do, untrue, took_effect)


def _false_account(_: Desk, __: Start, answer: Account) -> list[str]:
    return [] if answer.state in {AccountState.CONNECTED, AccountState.UNKNOWN} else [str(answer)]


def _joined(desk: Desk, _: Start) -> bool:
    return not desk.world.groups[desk.kit.other].left_by_account


def _sent(*, to_group: bool) -> Callable[[Desk, Start], bool]:
    def sent(desk: Desk, start: Start) -> bool:
        new = desk.world.sent[start.sent :]
        assert len(new) <= 1, "sent twice"
        return [(s.to, s.text) for s in new] == [(desk.kit.group if to_group else MEMBER, TEXT)]

    return sent


def _created(desk: Desk, start: Start) -> bool:
    new = _new_groups(desk, start)
    assert len(new) <= 1, "made twice"
    return bool(new)


_STANDING = Task(
    Action.LIST_MEMBERS,
    lambda desk: desk.adapter.membership(desk.kit.group, people(*EVERYBODY)),
    lambda desk, _, answer: (
        misread(desk.world, desk.kit.group, answer)
        + ([] if len(answer) == len(EVERYBODY) else [f"standings of {sorted(answer)}"])
    ),
    name="standing",
)

TASKS: tuple[Task, ...] = (
    Task(Action.LIST_GROUPS, _groups, _false_groups),
    Task(Action.READ_GROUP, lambda desk: desk.adapter.group(desk.kit.group), _false_group),
    Task(Action.LIST_MEMBERS, _members, _false_members),
    _STANDING,
    Task(Action.ADD, *_about(Operation.ADD, *GIVEN), lambda desk, _: OPEN in desk.group.members),
    Task(Action.REMOVE, *_about(Operation.REMOVE, MEMBER, ADMIN), lambda desk, _: not desk.roles()),
    Task(Action.PROMOTE, *_about(Operation.PROMOTE, MEMBER), lambda desk, _: desk.roles()[MEMBER] == "admin"),
    Task(Action.DEMOTE, *_about(Operation.DEMOTE, ADMIN), lambda desk, _: desk.roles()[ADMIN] == "member"),
    Task(Action.CREATE, _create, _false_creation, _created),
    *(_setting(action) for action in WANTED),
    Task(Action.READ_INVITE, lambda desk: desk.adapter.invite_link(desk.kit.group), _invite),
    Task(
        Action.RESET_INVITE,
        lambda desk: desk.adapter.reset_invite_link(desk.kit.group),
        _invite,
        lambda desk, start: desk.group.invite != start.groups[desk.kit.group].invite,
    ),
    Task(
        Action.JOIN,
        _join,
        lambda desk, _, answer: [] if answer is None or answer.id == desk.kit.other else [str(answer)],
        _joined,
    ),
    _plain(Action.LEAVE, lambda desk: desk.adapter.leave(desk.kit.group), _gone),
    _plain(Action.DELETE, lambda desk: desk.adapter.delete(desk.kit.group), _gone),
    Task(Action.CHECK_NUMBERS, _check, _false_checks),
    _plain(Action.SEND_TO_GROUP, lambda desk: desk.adapter.send_to_group(desk.kit.group, TEXT), _sent(to_group=True)),
    _plain(
        Action.SEND_TO_PERSON, lambda desk: desk.adapter.send_to_person(person(MEMBER), TEXT), _sent(to_group=False)
    ),
    Task(Action.ACCOUNT, lambda desk: desk.adapter.account(), _false_account),
    Task(Action.LIMITS, lambda desk: desk.adapter.limits(), _nothing),
    Task(Action.CREATE_COMMUNITY, _create_community, _false_creation, _created),
    Task(
        Action.ADD_TO_COMMUNITY,
        lambda desk: desk.adapter.add_to_community(desk.kit.group, people(*GIVEN)),
        lambda desk, start, answer: _false_verdicts(Operation.ADD, GIVEN, desk.kit.group, desk, start, answer.verdicts),
        lambda desk, _: OPEN in desk.group.members,
    ),
    Task(
        Action.REMOVE_FROM_COMMUNITY,
        lambda desk: desk.adapter.remove_from_community(desk.kit.group, people(MEMBER, ADMIN)),
        lambda desk, start, answer: _false_verdicts(
            Operation.REMOVE, (MEMBER, ADMIN), desk.kit.group, desk, start, answer.verdicts
        ),
        lambda desk, _: not desk.roles(),
    ),
)

CASES = [(kit, task) for kit in KITS.values() for task in TASKS if task.action in kit.abilities]
IDS = [f"{kit.name}-{task}" for kit, task in CASES]
