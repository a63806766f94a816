"""Where settings come from: a TOML file, the environment, and files that hold one secret each."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_settings import EnvSettingsSource, SettingsError

from bot.config.errors import (
    ConfigurationError,
    KeyPath,
    Problem,
    dotted,
    guidance,
    is_slack_token,
    plain,
    refusal,
    variable_name,
)
from bot.config.model import Settings

PREFIX = "ROLLCALL_"
OWN_NAMES: Mapping[str, tuple[str, str]] = {
    "SLACK_BOT_TOKEN": ("slack", "bot_token"),
    "SLACK_APP_TOKEN": ("slack", "app_token"),
    "SLACK_SIGNING_SECRET": ("slack", "signing_secret"),
}
"""The variables that Slack's own tools read, and the keys they stand for."""

_SECRETS = frozenset({"token", "bot_token", "app_token", "signing_secret"})
_PASSWORD = re.compile(r"://[^@/?]*:[^@?]*@|[?&]password=")
_NAMED: Mapping[str, str] = {"connections": "provider", "groups": "connection", "roles": "members"}
"""The sections whose entries people name, each with a key that every entry has."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The keys that were found, and where.

    Attributes:
        file: the file's name as messages show it; None when there is no file.
        keys: the keys of file and environment together, nested by section.
        variables: the environment variable behind each key, or behind a whole section.
    """

    file: str | None
    keys: dict[str, Any] = field(repr=False)
    variables: dict[KeyPath, str] = field(default_factory=dict)

    def source(self, path: KeyPath) -> str:
        """Name what a key came from: its variable, or the file, or the variable that would set it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.variables:
                return self.variables[path[:length]]
        return self.file or variable_name(tuple(part for part in path if isinstance(part, str)))

    def problem(self, path: KeyPath, text: str) -> Problem:
        """Say what is wrong with a key, and where it came from."""
        return Problem(self.source(path), dotted(path), text)


def read(config: Path, environ: Mapping[str, str], *, needed: bool) -> Sources:
    """Read the file, then the environment over it, then the files that hold secrets.

    Args:
        config: the TOML file.
        environ: the environment.
        needed: whether the file must exist.

    Raises:
        ConfigurationError: for a file that is missing, unreadable, no TOML, or holds a secret; for a variable that
            names no section, is no JSON where it must be, or could name two things.
    """
    text = _text(config, needed=needed)
    sources = Sources(None if text is None else str(config), {} if text is None else _tables(config, text))
    if leaks := [sources.problem(path, words) for path, words in _leaks(sources.keys, ())]:
        raise refusal(leaks)
    written = {section: set(_table(sources.keys, (section,))) for section in _NAMED}
    for name, path, value in _variables(environ):
        _add(sources, name, path, value)
    if strays := list(_strays(sources, written)):
        raise refusal(strays)
    _read_secret_files(sources)
    return sources


def _text(config: Path, *, needed: bool) -> str | None:
    try:
        return config.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if not needed:
            return None
        raise ConfigurationError(
            f"{config}: no such file; copy rollcall.example.toml there, or name another with --config"
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{config}: is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"{config}: cannot be read ({error.strerror}); check its path and mode") from None


def _tables(config: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        words = str(error).replace("at end of document", f"at line {text.count(chr(10)) + 1}, the end of the file")
        raise ConfigurationError(f"{config}: is not TOML: {words}; text values stand in quotes") from None


def _leaks(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Find secrets that were written into the file."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaks(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaks(inner, (*path, index))
    elif path[-1] in _SECRETS:
        name = next((own for own, target in OWN_NAMES.items() if target == path), variable_name(path))
        yield path, f"must not stand in the file; set {name}, or {path[-1]}_file to a file that holds it"
    elif isinstance(value, str) and is_slack_token(value):
        yield path, "holds a Slack token, which must not stand in the file; use SLACK_BOT_TOKEN or SLACK_APP_TOKEN"
    elif path == ("storage", "url") and _PASSWORD.search(str(value)):
        yield path, f"holds a password, which must not stand in the file; set {variable_name(path)}, or PGPASSWORD"


def _table(keys: Mapping[str, Any], path: KeyPath) -> dict[str, Any]:
    """Give the table at `path`; an empty one where there is none, or something else stands there."""
    place: Any = keys
    for part in path:
        place = place.get(part) if isinstance(place, dict) else None
    return place if isinstance(place, dict) else {}


def _variables(environ: Mapping[str, str]) -> list[tuple[str, tuple[str, ...], str]]:
    """Give name, path and value of the variables that are meant for Rollcall, whole sections before single keys.

    One without `__` that is no section is somebody else's: Kubernetes sets `ROLLCALL_SERVICE_HOST` and
    `ROLLCALL_PORT` beside a service called rollcall.
    """
    found: list[tuple[str, tuple[str, ...], str]] = []
    for name, value in environ.items():
        if name in OWN_NAMES and value.strip():
            found.append((name, OWN_NAMES[name], value))
        elif name.upper().startswith(PREFIX):
            path = tuple(name[len(PREFIX) :].lower().split("__"))
            if path[0] == "approvals" and len(path) > 1:
                raise refusal([Problem(name, "approvals", f"is a list; set {PREFIX}APPROVALS to all rules as JSON")])
            if path[0] in Settings.model_fields:
                found.append((name, path, value))
            elif len(path) > 1:
                hint = guidance(path[0], Settings.model_fields)
                raise refusal([Problem(name, path[0], f"is no section; {hint}")])
    return sorted(found, key=lambda variable: (len(variable[1]), variable[0] not in OWN_NAMES, variable[0]))


def _add(sources: Sources, name: str, path: tuple[str, ...], value: str) -> None:
    """Lay one variable over the keys; pydantic-settings knows which values are JSON."""
    path = _as_written(sources, name, path)
    reader = EnvSettingsSource(Settings)
    reader.env_vars = {PREFIX.lower() + "__".join(path): value}
    try:
        _merge(sources.keys, reader())
    except SettingsError:
        form = '["a", "b"]' if len(path) > 1 else "what the file would hold"
        raise refusal([Problem(name, dotted(path), f"must be JSON: {form}")]) from None
    sources.variables[path] = name


def _as_written(sources: Sources, name: str, path: tuple[str, ...]) -> tuple[str, ...]:
    """Find the entry that a variable means: `US_WEST` is `us-west` when that is the only such name."""
    if path[0] not in _NAMED or len(path) == 1:
        return path
    known = [entry for entry in _table(sources.keys, path[:1]) if plain(entry) == plain(path[1])]
    if len(known) > 1:
        text = f"could be {' or '.join(map(repr, known))}; rename one of them"
        raise refusal([Problem(name, dotted(path[:2]), text)])
    return (path[0], known[0] if known else path[1], *path[2:])


def _merge(keys: dict[str, Any], above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(keys.get(key), dict):
            _merge(keys[key], value)
        else:
            keys[key] = value


def _strays(sources: Sources, written: Mapping[str, set[str]]) -> Iterator[Problem]:
    """Find entries that only variables name, and not wholly: a misspelt name rather than a new entry."""
    if not sources.keys.keys() <= Settings.model_fields.keys():
        return  # the section itself is misspelt, and that is said first
    for section, needed in _NAMED.items():
        for entry, values in _table(sources.keys, (section,)).items():
            if written[section] and entry not in written[section] and needed not in values:
                variable = next(name for path, name in sources.variables.items() if path[:2] == (section, entry))
                text = f"is not in the file and has no {needed}; {guidance(entry, written[section])}"
                yield Problem(variable, dotted((section, entry)), text)


def _read_secret_files(sources: Sources) -> None:
    """Put the content of each `*_file` in its key's place, unless the secret itself is there too."""
    connections: list[KeyPath] = [("connections", name, "token") for name in _table(sources.keys, ("connections",))]
    for path in [*OWN_NAMES.values(), *connections]:
        table = _table(sources.keys, path[:-1])
        file_key = f"{path[-1]}_file"
        named = table.get(file_key)
        if isinstance(named, str) and path[-1] not in table:
            table[str(path[-1])] = _secret_in(Path(named), sources, (*path[:-1], file_key))


def _secret_in(file: Path, sources: Sources, path: KeyPath) -> str:
    # The file's name stays out of the message: a secret may have been put there by mistake.
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise refusal([sources.problem(path, f"names a file that cannot be read ({reason}); check its path")]) from None
    if not secret:
        raise refusal([sources.problem(path, "names an empty file; put the secret into it")])
    return secret
