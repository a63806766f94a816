"""Finding a group by what a person calls it: an alias, the provider's id, or the subject."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownGroup:
    """A group that can be named. `alias` and `subject` may be empty."""

    connection: str
    id: str
    alias: str = ""
    subject: str = ""

    @property
    def name(self) -> str:
        """How people are shown the group: alias, else subject, else id."""
        return self.alias or self.subject or self.id

    @property
    def scope_names(self) -> tuple[str, ...]:
        """The names by which roles and rules mean it: never the subject, which any admin of the group can change."""
        return tuple(n for n in (self.alias, self.id) if n)

    @property
    def names(self) -> tuple[str, ...]:
        """Everything by which it may be called."""
        return tuple(n for n in (self.alias, self.subject, self.id) if n)


@dataclass(frozen=True, slots=True)
class GroupFound:
    """Exactly one group is meant."""

    group: KnownGroup


@dataclass(frozen=True, slots=True)
class GroupAmbiguous:
    """Several groups have this name."""

    candidates: tuple[KnownGroup, ...]


@dataclass(frozen=True, slots=True)
class GroupUnknown:
    """No group has this name; `nearest` are the at most three that look like it."""

    nearest: tuple[KnownGroup, ...]


Resolution = GroupFound | GroupAmbiguous | GroupUnknown


def resolve(text: str, groups: Sequence[KnownGroup]) -> Resolution:
    """Find the group that `text` names: an alias wins over an id, an id over a subject; case does not count."""
    wanted = _fold(text)
    for attribute in ("alias", "id", "subject"):
        matches = tuple(g for g in groups if getattr(g, attribute) and _fold(getattr(g, attribute)) == wanted)
        if len(matches) == 1:
            return GroupFound(matches[0])
        if matches:
            return GroupAmbiguous(matches)
    return GroupUnknown(_nearest(wanted, groups))


def search(text: str, groups: Iterable[KnownGroup]) -> list[KnownGroup]:
    """Give the groups that hold `text` in any name, those that begin with it first."""
    wanted = _fold(text)
    hits = [g for g in groups if any(wanted in _fold(name) for name in g.names)]
    hits.sort(key=lambda g: (not any(_fold(name).startswith(wanted) for name in g.names), _fold(g.name)))
    return hits


def _nearest(wanted: str, groups: Sequence[KnownGroup]) -> tuple[KnownGroup, ...]:
    by_name = {_fold(name): group for group in groups for name in (group.alias, group.subject) if name}
    names = difflib.get_close_matches(wanted, by_name, n=6, cutoff=0.4)
    return tuple(dict.fromkeys(by_name[name] for name in names))[:3]


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())
