"""The page of what each provider can do: `python -m providers.capability_docs` writes `docs/providers.md`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from providers.base import Ability, Action, Provider
from providers.twochat import TwoChat
from providers.wacr import Wacr
from providers.wagateway import WaGateway
from providers.wasend import Wasend
from providers.wuts import Wuts

PROVIDERS: Mapping[str, tuple[str, type[Provider]]] = {
    "wacr": ("WA.cr", Wacr),
    "wagateway": ("WhatsApp Gateway", WaGateway),
    "wasend": ("Wasend", Wasend),
    "wuts": ("WUTS", Wuts),
    "twochat": ("2Chat", TwoChat),
}
"""By the name in the configuration: what people call it, and its adapter."""

SIZES = (1, 10, 11, 100, 1000)
"""For how many people (groups, where groups are listed) calls are counted."""

CALLS: Mapping[Action, Mapping[str, Sequence[int]]] = {
    Action.LIST_GROUPS: {
        "wacr": (1, 1, 1, 1, 10),
        "wagateway": (1, 1, 1, 1, 1),
        "wasend": (1, 1, 1, 2, 20),
        "wuts": (1, 1, 1, 1, 1),
        "twochat": (1, 1, 1, 1, 1),
    },
    Action.LIST_MEMBERS: {
        "wacr": (2, 2, 2, 3, 12),
        "wagateway": (2, 2, 2, 2, 7),
        "wasend": (1, 1, 1, 1, 1),
        "wuts": (1, 1, 1, 1, 1),
        "twochat": (1, 1, 1, 1, 1),
    },
    Action.ADD: {
        "wacr": (5, 6, 6, 6, 78),
        "wagateway": (2, 11, 12, 105, 1050),
        "wasend": (1, 1, 2, 10, 100),
        "wuts": (2, 2, 4, 20, 200),
        "twochat": (1, 1, 2, 10, 100),
    },
    Action.REMOVE: {
        "wacr": (2, 2, 2, 3, 75),
        "wagateway": (1, 10, 11, 100, 1000),
        "wasend": (1, 1, 2, 10, 100),
        "wuts": (1, 1, 2, 10, 100),
        "twochat": (1, 1, 2, 10, 100),
    },
    Action.PROMOTE: {
        "wagateway": (1, 10, 11, 100, 1000),
        "wasend": (1, 1, 2, 10, 100),
        "wuts": (1, 1, 2, 10, 100),
        "twochat": (1, 1, 2, 10, 100),
    },
    Action.DEMOTE: {
        "wagateway": (1, 10, 11, 100, 1000),
        "wasend": (1, 1, 2, 10, 100),
        "wuts": (1, 1, 2, 10, 100),
        "twochat": (1, 1, 2, 10, 100),
    },
    Action.CREATE: {
        "wacr": (5, 6, 6, 6, 78),
        "wagateway": (2, 11, 12, 105, 1050),
        "wasend": (1, 1, 2, 10, 100),
        "wuts": (2, 2, 4, 20, 200),
        "twochat": (1, 1, 2, 10, 100),
    },
    Action.CHECK_NUMBERS: {
        "wagateway": (1, 10, 11, 100, 1000),
        "wasend": (1, 10, 11, 100, 1000),
        "wuts": (1, 1, 1, 1, 7),
        "twochat": (1, 10, 11, 100, 1000),
    },
}
"""HTTP calls for `SIZES` of people by provider, counted at the simulated providers.

The conformance suite counts them anew: nobody is on the other side yet whom the adapter remembers from before.
"""

_INTRODUCTION = """\
<!-- Made by `make docs` from the adapters' `abilities`. Changes made here are lost. -->

# What each provider can do

For every action: the capability that a role of Rollcall needs for it, and in brackets what the provider asks of the
credential, where it names that. A dash: the provider's interface does not offer it; Rollcall says so without a call.
What the provider's documentation leaves open, and how Rollcall lives with it: [undocumented.md](undocumented.md).
"""

_CALLS = """\
## Calls

How many HTTP calls an action takes for {sizes} people (groups, where groups are listed).
People are sent in chunks: "people a call" is the most that one may hold. The calls are counted at the simulated
providers, for people of whom the adapter remembers nothing from an earlier request. What counts is every call that the
adapter sends for the action, its own checks and reads too; the looks at the member list before and after a request, and
reads that are repeated after a failure, come on top.
"""


@dataclass(slots=True)
class _Notes:
    """Footnotes in the order in which they are first referred to; the same words have one number."""

    words: list[str]

    def mark(self, note: str) -> str:
        if not note:
            return ""
        if note not in self.words:
            self.words.append(note)
        return f"[^{self.words.index(note) + 1}]"


def overview() -> str:
    """Give the whole page in Markdown."""
    abilities = {name: adapter.abilities for name, (_, adapter) in PROVIDERS.items()}
    return "\n".join([_INTRODUCTION, *operations(abilities), "", *calls(abilities)]) + "\n"


def operations(abilities: Mapping[str, Mapping[Action, Ability]]) -> list[str]:
    """Give the table of actions by provider, and its footnotes, line by line.

    Args:
        abilities: by the provider's name in the configuration.
    """
    notes = _Notes([])
    rows = [
        [str(action), *(_cell(offered.get(action), notes) for offered in abilities.values())]
        for action in Action
        if any(action in offered for offered in abilities.values())
    ]
    footnotes = [f"[^{number}]: {words}" for number, words in enumerate(notes.words, start=1)]
    return [*_table(["Action", *_titles(abilities)], rows), "", *footnotes]


def calls(abilities: Mapping[str, Mapping[Action, Ability]]) -> list[str]:
    """Give the table of calls, line by line."""
    rows = [
        [str(action), PROVIDERS[name][0], str(abilities[name][action].max_batch or "all"), *map(_number, counted)]
        for action, by_provider in CALLS.items()
        for name, counted in by_provider.items()
    ]
    sizes = f"{', '.join(map(_number, SIZES[:-1]))} and {_number(SIZES[-1])}"
    head = ["Action", "Provider", "People a call", *map(_number, SIZES)]
    return [*_CALLS.format(sizes=sizes).splitlines(), "", *_table(head, rows)]


def _cell(ability: Ability | None, notes: _Notes) -> str:
    if ability is None:
        return "—"
    native = ", ".join(f"`{word}`" for word in ability.native)
    return f"`{ability.capability}`" + (f" ({native})" if native else "") + notes.mark(ability.note)


def _titles(names: Iterable[str]) -> list[str]:
    return [PROVIDERS[name][0] for name in names]


def _number(count: int) -> str:
    return f"{count:,}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


if __name__ == "__main__":
    print(overview(), end="")
