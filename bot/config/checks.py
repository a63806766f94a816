"""The checks of the settings: first the type of each key, then the names that refer to other sections."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from bot.config.errors import KeyPath, suggestion, variable_name
from bot.config.model import ACCOUNTS, NEEDS_BASE_URL, ApprovalSettings, Settings
from bot.domain.access import Capability

Finding = tuple[KeyPath, str]
"""A key and its error text, which follows the name of the key."""

_ERROR_TEXTS = {
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "path_type": "must be the path of a file, in quotes",
    "tuple_type": 'must be a list, such as ["a", "b"]',
    "dict_type": "must be a section with keys of its own",
    "model_type": "must be a section with keys of its own",
}


_HARMLESS_RULE = {"operations": ["add"], "approvers": ["-"], "quorum": 0}
"""Takes the place of an invalid rule, so that the others keep their numbers. Its own errors aren't reported."""


def check(keys: Mapping[str, Any]) -> tuple[Settings | None, list[Finding]]:
    """Return the settings of these keys, and the errors in them.

    References between sections are checked even if some keys have the wrong type: their entries are left out, and a
    reference to such an entry isn't an error. The settings are None if they can't be used even so.
    """
    left_out: frozenset[KeyPath] = frozenset()
    findings: list[Finding] = []
    try:
        settings = Settings(**keys)
    except ValidationError as error:
        findings = _type_findings(error)
        left_out = frozenset(path[:2] for path, _ in findings)
        try:
            settings = Settings(**_without(keys, [path for path, _ in findings]))
        except ValidationError:
            return None, findings
    references = [finding for finding in _reference_findings(settings, left_out) if finding[0][:2] not in left_out]
    return settings, [*findings, *references]


def _without(keys: Mapping[str, Any], paths: Iterable[KeyPath]) -> dict[str, Any]:
    """Return the keys without those that have errors; of a section with named entries, without the whole entry."""
    kept = deepcopy(dict(keys))
    for path in paths:
        section, entry = kept.get(str(path[0])), path[1] if len(path) > 1 else None
        if isinstance(section, dict) and entry is not None:
            section.pop(entry, None)
        elif isinstance(section, list) and isinstance(entry, int):
            section[entry] = _HARMLESS_RULE
        else:
            kept.pop(str(path[0]), None)
    return kept


def _type_findings(error: ValidationError) -> list[Finding]:
    """Return the errors of single keys: unknown keys first, since they explain many of the others."""
    details = error.errors(include_url=False, include_input=False)
    details.sort(key=lambda detail: detail["type"] != "extra_forbidden")
    # A list of invalid items is also reported as too short; the errors of the items are more precise.
    containers = {detail["loc"][:-1] for detail in details}
    return [(_path(detail["loc"]), _error_text(detail)) for detail in details if detail["loc"] not in containers]


def _path(loc: KeyPath) -> KeyPath:
    return tuple(part for part in loc if part != "[key]")


def _error_text(detail: Mapping[str, Any]) -> str:
    kind, path, context = detail["type"], _path(detail["loc"]), detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        what = "section" if len(path) == 1 else "key of this section"
        return f"isn't a {what}; {suggestion(str(path[-1]), _model_at(path[:-1]).model_fields)}"
    if kind in {"missing", "too_short", "string_too_short"}:
        fault = "is missing" if kind == "missing" else "is empty"
        return f"{fault}; it takes {_purpose(path)}"
    if path == ("approvals",):
        return "must be a list; head each rule with [[approvals]]"
    return _ERROR_TEXTS[kind].format(**context) if kind in _ERROR_TEXTS else f"is invalid: {detail['msg']}"


def _purpose(path: KeyPath) -> str:
    """Return what a key is for. For a secret, also where to put it, since that is never the file."""
    if path[-1] == "token":
        return f"the provider's API key; set {variable_name(path)}, or token_file to the file that contains it"
    keys = tuple(part for part in path if isinstance(part, str))
    return str(_model_at(keys[:-1]).model_fields[keys[-1]].description)


def _model_at(path: KeyPath) -> type[BaseModel]:
    """Return the section of the keys under `path`, which may contain names and indices."""
    current: Any = Settings
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            current = current.model_fields[str(part)].annotation
        else:
            current = _entry(current)
    return current if isinstance(current, type) and issubclass(current, BaseModel) else _entry(current)


def _entry(container: Any) -> type[BaseModel]:
    return next(kind for kind in get_args(container) if isinstance(kind, type) and issubclass(kind, BaseModel))


def _reference_findings(settings: Settings, left_out: Collection[KeyPath]) -> Iterator[Finding]:
    """Yield the errors in references between sections. References to the entries that are left out are none."""
    if settings.connections or not any(path[0] == "connections" for path in left_out):
        yield from _connections(settings)
    yield from _groups(settings, left_out)
    for index, rule in enumerate(settings.approvals):
        for path, text in _approval(rule, settings, left_out):
            yield ("approvals", index, *path), text


def _connections(settings: Settings) -> Iterator[Finding]:
    if not settings.connections:
        yield ("connections",), "is empty; add a section [connections.<name>] with provider, and its token"
    for name, connection in settings.connections.items():
        provider = connection.provider
        if provider in NEEDS_BASE_URL and connection.base_url is None:
            yield (
                ("connections", name, "base_url"),
                f"is missing; {provider} has no default address, so set the address of yours",
            )
        if provider in ACCOUNTS and connection.account is None:
            yield ("connections", name, "account"), f"is missing; {provider} needs {ACCOUNTS[provider]}"


def _groups(settings: Settings, left_out: Collection[KeyPath]) -> Iterator[Finding]:
    seen: dict[tuple[str, str], str] = {}
    for alias, group in settings.groups.items():
        if group.connection not in settings.connections and ("connections", group.connection) not in left_out:
            hint = suggestion(group.connection, settings.connections)
            yield (
                ("groups", alias, "connection"),
                f"names {group.connection!r}, which isn't a connection; {hint}",
            )
        first = seen.setdefault((group.connection, group.id), alias)
        if first != alias:
            yield ("groups", alias), f"is the same group as groups.{first}; keep one of the two"


def _approval(rule: ApprovalSettings, settings: Settings, left_out: Collection[KeyPath]) -> Iterator[Finding]:
    for index, name in enumerate(rule.approvers):
        role = settings.roles.get(name)
        if ("roles", name) in left_out:
            continue
        if role is None:
            yield ("approvers", index), f"names {name!r}, which isn't a role; {suggestion(name, settings.roles)}"
        elif Capability.APPROVE not in role.capabilities:
            yield (
                ("approvers", index),
                f'names the role {name!r}, which can\'t approve; add "approve" to roles.{name}.capabilities',
            )
    roles = [settings.roles[name] for name in rule.approvers if name in settings.roles]
    members = {member for role in roles for member in role.members}
    only_users = len(roles) == len(rule.approvers) and not any(member.startswith("S") for member in members)
    if only_users and len(members) < rule.quorum:
        yield (
            ("quorum",),
            f"is {rule.quorum}, but only {len(members)} can approve; lower it, or add members to the role",
        )
    if rule.remind_after is not None and rule.remind_after >= rule.expires_after:
        yield ("remind_after",), "isn't before expires_after; lower it, or raise expires_after"
