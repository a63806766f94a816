"""Which calls a task makes when nothing goes wrong, so that something can go wrong in each of them."""

from dataclasses import dataclass

from tests.contracts import contract_document
from tests.providers.conformance.action_cases import ActionCase
from tests.providers.harness import ProviderCase, open_with_people

_READS_BY_POST = frozenset({"checkContactsOnWhatsApp", "resolveContacts"})


@dataclass(frozen=True, slots=True)
class CallStep:
    """A call: the contract's operation, and the line `METHOD path` by which faults are matched."""

    operation: str
    line: str

    @property
    def writes(self) -> bool:
        return not self.line.startswith("GET ") and self.operation not in _READS_BY_POST


_known: dict[tuple[str, str], tuple[CallStep, ...]] = {}


async def call_steps(provider: ProviderCase, case: ActionCase) -> tuple[CallStep, ...]:
    """Do the task once, and give its calls, each operation's first; calls that no contract describes are left out."""
    key = (provider.name, str(case))
    if key not in _known:
        steps: dict[str, CallStep] = {}
        async with open_with_people(
            provider, variant=provider.needs_variant.get(case.action, ""), checked=False
        ) as harness:
            await case.do(harness)
            for call in harness.server.calls:
                operation = contract_document(provider.name).operation_of(
                    call.method, call.path.removeprefix(provider.prefix)
                )
                steps.setdefault(operation, CallStep(operation, f"{call.method} {call.path}"))
        steps.pop("", None)
        _known[key] = tuple(steps.values())
    return _known[key]
