"""The checks that settings must pass: each key by its type, then every name that one section takes from another."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from bot.config.errors import KeyPath, guidance, variable_name
from bot.config.model import ACCOUNTS, NEEDS_BASE_URL, ApprovalSettings, Settings
from providers.base import Capability

Finding = tuple[KeyPath, str]
"""A key, and the words that say what is wrong with it."""

_WORDS = {
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


def type_findings(error: ValidationError) -> list[Finding]:
    """Say what is wrong with single keys: unknown ones first, since they explain much of the rest."""
    details = error.errors(include_url=False, include_input=False)
    details.sort(key=lambda detail: detail["type"] != "extra_forbidden")
    # A list of wrong items also counts as too short; the items say it better.
    containers = {detail["loc"][:-1] for detail in details}
    return [(_path(detail["loc"]), _words(detail)) for detail in details if detail["loc"] not in containers]


def _path(loc: KeyPath) -> KeyPath:
    return tuple(part for part in loc if part != "[key]")


def _words(detail: Mapping[str, Any]) -> str:
    kind, path, context = detail["type"], _path(detail["loc"]), detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        what = "section" if len(path) == 1 else "key of this section"
        return f"is no {what}; {guidance(str(path[-1]), _model_at(path[:-1]).model_fields)}"
    if kind in {"missing", "too_short", "string_too_short"}:
        fault = "is missing" if kind == "missing" else "is empty"
        return f"{fault}; it takes {_purpose(path)}"
    if path == ("approvals",):
        return "must be a list; head each rule with [[approvals]]"
    return _WORDS[kind].format(**context) if kind in _WORDS else f"does not fit: {detail['msg']}"


def _purpose(path: KeyPath) -> str:
    """Say what a key is for; a secret's says where to put it, for that is never the file."""
    if path[-1] == "token":
        return f"the provider's API key; set {variable_name(path)}, or token_file to the file that holds it"
    keys = tuple(part for part in path if isinstance(part, str))
    return str(_model_at(keys[:-1]).model_fields[keys[-1]].description)


def _model_at(path: KeyPath) -> type[BaseModel]:
    """Give the section that holds the keys under `path`, through names and indices."""
    place: Any = Settings
    for part in path:
        if isinstance(place, type) and issubclass(place, BaseModel):
            place = place.model_fields[str(part)].annotation
        else:
            place = _entry(place)
    return place if isinstance(place, type) and issubclass(place, BaseModel) else _entry(place)


def _entry(container: Any) -> type[BaseModel]:
    return next(kind for kind in get_args(container) if isinstance(kind, type) and issubclass(kind, BaseModel))


def reference_findings(settings: Settings) -> Iterator[Finding]:
    """Say where sections do not fit each other."""
    yield from _connections(settings)
    yield from _groups(settings)
    for index, rule in enumerate(settings.approvals):
        for path, words in _approval(rule, settings):
            yield ("approvals", index, *path), words


def _connections(settings: Settings) -> Iterator[Finding]:
    if not settings.connections:
        yield ("connections",), "is empty; add a section [connections.<name>] with provider, and its token"
    for name, connection in settings.connections.items():
        provider = connection.provider
        if provider in NEEDS_BASE_URL and connection.base_url is None:
            yield (
                ("connections", name, "base_url"),
                f"is missing; {provider} has no address of its own, so set where yours runs",
            )
        if provider in ACCOUNTS and connection.account is None:
            yield ("connections", name, "account"), f"is missing; {provider} needs {ACCOUNTS[provider]}"


def _groups(settings: Settings) -> Iterator[Finding]:
    seen: dict[tuple[str, str], str] = {}
    for alias, group in settings.groups.items():
        if group.connection not in settings.connections:
            hint = guidance(group.connection, settings.connections)
            yield (
                ("groups", alias, "connection"),
                f"names {group.connection!r}, which is no connection; {hint}",
            )
        first = seen.setdefault((group.connection, group.id), alias)
        if first != alias:
            yield ("groups", alias), f"is the same group as groups.{first}; keep one of the two"


def _approval(rule: ApprovalSettings, settings: Settings) -> Iterator[Finding]:
    for index, name in enumerate(rule.approvers):
        role = settings.roles.get(name)
        if role is None:
            yield ("approvers", index), f"names {name!r}, which is no role; {guidance(name, settings.roles)}"
        elif Capability.APPROVE not in role.capabilities:
            yield (
                ("approvers", index),
                f'names the role {name!r}, which may not approve; add "approve" to roles.{name}.capabilities',
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
        yield ("remind_after",), "is not before expires_after; remind earlier, or let the request wait longer"
