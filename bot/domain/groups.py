"""Groups, and finding one by a name: its alias, its id at the provider, or its subject."""

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class GroupRef:
    """The identity of a group: the name of its connection, and its id at the provider."""

    connection: str
    id: str


@dataclass(frozen=True, slots=True)
class ConfiguredGroup:
    """The configuration of a group.

    Attributes:
        alias: its short name; empty for a group that the configuration doesn't name.
        warning: a text that requesters and approvers see before anything is changed.
        keep: E.164 phones that no sync removes.
        region: the ISO 3166 code of the country of numbers typed without a country code; None if there is none.
    """

    alias: str = ""
    warning: str = ""
    keep: tuple[str, ...] = ()
    region: str | None = None


@dataclass(frozen=True, slots=True)
class GroupCatalog:
    """The groups of the configuration.

    Attributes:
        groups: the groups that it names.
        regions: the default region of each connection; None if it has none.
    """

    groups: Mapping[GroupRef, ConfiguredGroup] = field(default_factory=dict)
    regions: Mapping[str, str | None] = field(default_factory=dict)

    def get(self, ref: GroupRef) -> ConfiguredGroup:
        """Return the configuration of a group; only the region if the configuration doesn't name it."""
        return self.groups.get(ref) or ConfiguredGroup(region=self.regions.get(ref.connection))

    def aliased(self) -> Collection["KnownGroup"]:
        """Return the groups of the configuration, by the names that it gives them."""
        return [KnownGroup(ref.connection, ref.id, group.alias) for ref, group in self.groups.items()]


@dataclass(frozen=True, slots=True)
class KnownGroup:
    """A group that can be named. `alias` and `subject` may be empty."""

    connection: str
    id: str
    alias: str = ""
    subject: str = ""

    @classmethod
    def unnamed(cls, ref: GroupRef) -> "KnownGroup":
        """Return a group of which only the identity is known."""
        return cls(ref.connection, ref.id)

    @property
    def ref(self) -> GroupRef:
        """The identity of the group."""
        return GroupRef(self.connection, self.id)

    @property
    def name(self) -> str:
        """The name that people see: the alias, else the subject, else the id."""
        return self.alias or self.subject or self.id

    @property
    def scope_names(self) -> tuple[str, ...]:
        """The names that roles and rules match: never the subject, which any admin of the group can change."""
        return tuple(n for n in (self.alias, self.id) if n)

    @property
    def names(self) -> tuple[str, ...]:
        """All of its names."""
        return tuple(n for n in (self.alias, self.subject, self.id) if n)


@dataclass(frozen=True, slots=True)
class GroupFound:
    """Exactly one group has the name."""

    group: KnownGroup


@dataclass(frozen=True, slots=True)
class GroupAmbiguous:
    """Several groups have this name."""

    candidates: tuple[KnownGroup, ...]


@dataclass(frozen=True, slots=True)
class GroupUnknown:
    """No group has this name; `nearest` has at most three with a similar one."""

    nearest: tuple[KnownGroup, ...]


Resolution = GroupFound | GroupAmbiguous | GroupUnknown


def resolve(text: str, groups: Sequence[KnownGroup]) -> Resolution:
    """Return the group with this name, ignoring case. An alias wins over an id, an id over a subject."""
    wanted = _fold(text)
    for attribute in ("alias", "id", "subject"):
        matches = tuple(g for g in groups if getattr(g, attribute) and _fold(getattr(g, attribute)) == wanted)
        if len(matches) == 1:
            return GroupFound(matches[0])
        if matches:
            return GroupAmbiguous(matches)
    return GroupUnknown(_nearest(wanted, groups))


def search(text: str, groups: Iterable[KnownGroup]) -> list[KnownGroup]:
    """Return the groups with `text` in any name, those that begin with it first."""
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
