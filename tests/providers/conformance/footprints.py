"""Which calls a task makes when nothing goes wrong, so that something can go wrong in each of them."""

from dataclasses import dataclass

from tests.providers.conformance.kits import Kit, desk
from tests.providers.conformance.papers import paper
from tests.providers.conformance.tasks import Task

_READS_BY_POST = frozenset({"checkContactsOnWhatsApp", "resolveContacts"})


@dataclass(frozen=True, slots=True)
class Step:
    """A call: the contract's operation, and the line `METHOD path` by which faults are matched."""

    operation: str
    line: str

    @property
    def writes(self) -> bool:
        return not self.line.startswith("GET ") and self.operation not in _READS_BY_POST


_known: dict[tuple[str, str], tuple[Step, ...]] = {}


async def footprint(kit: Kit, task: Task) -> tuple[Step, ...]:
    """Do the task once, and give its calls, each operation's first; calls that no contract describes are left out."""
    key = (kit.name, str(task))
    if key not in _known:
        steps: dict[str, Step] = {}
        async with desk(kit, variant=kit.offered_in.get(task.action, ""), checked=False) as at:
            await task.do(at)
            for call in at.calls():
                operation = paper(kit.name).operation_of(call.method, call.path.removeprefix(kit.prefix))
                steps.setdefault(operation, Step(operation, f"{call.method} {call.path}"))
        steps.pop("", None)
        _known[key] = tuple(steps.values())
    return _known[key]
