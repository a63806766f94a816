"""The sources of the settings: a TOML file, the environment, and files with one secret each."""

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
    is_slack_token,
    plain,
    suggestion,
    variable_name,
)
from bot.config.model import Settings

PREFIX = "ROLLCALL_"
SLACK_VARIABLES: Mapping[str, tuple[str, str]] = {
    "SLACK_BOT_TOKEN": ("slack", "bot_token"),
    "SLACK_APP_TOKEN": ("slack", "app_token"),
    "SLACK_SIGNING_SECRET": ("slack", "signing_secret"),
}
"""The variables of Slack's own tools, and the keys that they set."""

_SECRETS = frozenset({"token", "bot_token", "app_token", "signing_secret"})
_UNREADABLE = "unreadable"
"""Takes the place of a secret whose file can't be read, so that it isn't reported as missing too."""
_PATH = re.compile(r"/?(?:[\w.~ -]{1,64}/)*[\w.~ -]{1,64}")
_PASSWORD = re.compile(r"://[^@/?]*:[^@?]*@|[?&]password=")
_REQUIRED_KEYS: Mapping[str, str] = {"connections": "provider", "groups": "connection", "roles": "members"}
"""The sections with named entries, each with a key that every entry must have."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The keys that were read, and their sources.

    Attributes:
        file: the file's name for messages; None if there is no file.
        keys: the keys of file and environment together, nested by section.
        variables: the environment variable that set each key, or a whole section.
        problems: the errors that were found while reading.
    """

    file: str | None
    keys: dict[str, Any] = field(repr=False)
    variables: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def source(self, path: KeyPath) -> str:
        """Return the source of a key: its variable, or the file, or the variable that would set it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.variables:
                return self.variables[path[:length]]
        return self.file or variable_name(tuple(part for part in path if isinstance(part, str)))

    def problem(self, path: KeyPath, text: str) -> Problem:
        """Return the error of a key, with its source."""
        return Problem(self.source(path), dotted(path), text)


def read(config: Path, environ: Mapping[str, str], *, required: bool) -> Sources:
    """Read the file, then the environment, which wins over it, then the files of secrets.

    Args:
        config: the TOML file.
        environ: the environment.
        required: whether the file must exist.

    Returns:
        The keys, and the errors that don't prevent reading the rest: a secret in the file, a variable that names no
        section, isn't the JSON that it must be, or could mean two entries, and an unreadable file of a secret.

    Raises:
        ConfigurationError: the file is missing, unreadable, or not TOML.
    """
    text = _text(config, required=required)
    sources = Sources(None if text is None else str(config), {} if text is None else _tables(config, text))
    sources.problems.extend(
        sources.problem(path, error_text) for path, error_text in _secrets_in_file(sources.keys, ())
    )
    written = {section: set(_table(sources.keys, (section,))) for section in _REQUIRED_KEYS}
    for name, path, value in _variables(environ, sources.problems):
        _add(sources, name, path, value)
    for section, entry, problem in list(_misspelt(sources, written)):
        sources.problems.append(problem)
        del sources.keys[section][entry]
    _read_secret_files(sources)
    return sources


def _text(config: Path, *, required: bool) -> str | None:
    try:
        return config.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if not required:
            return None
        raise ConfigurationError(
            f"{config}: no such file; copy rollcall.example.toml there, or name another with --config"
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{config}: isn't UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"{config}: can't be read ({error.strerror}); check its path and mode") from None


def _tables(config: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error).replace("at end of document", f"at line {text.count(chr(10)) + 1}, the end of the file")
        raise ConfigurationError(f"{config}: isn't TOML: {message}; text values need quotes") from None


def _secrets_in_file(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Yield the secrets in the file, which must not be there."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _secrets_in_file(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _secrets_in_file(inner, (*path, index))
    elif path[-1] in _SECRETS:
        name = next((own for own, key in SLACK_VARIABLES.items() if key == path), variable_name(path))
        yield path, f"must not be in the file; set {name}, or {path[-1]}_file to a file that contains it"
    elif isinstance(value, str) and is_slack_token(value):
        yield path, "contains a Slack token, which must not be in the file; use SLACK_BOT_TOKEN or SLACK_APP_TOKEN"
    elif path == ("storage", "url") and _PASSWORD.search(str(value)):
        yield path, f"contains a password, which must not be in the file; set {variable_name(path)}, or PGPASSWORD"


def _table(keys: Mapping[str, Any], path: KeyPath) -> dict[str, Any]:
    """Return the table at `path`, or an empty one if there is no table."""
    current: Any = keys
    for part in path:
        current = current.get(part) if isinstance(current, dict) else None
    return current if isinstance(current, dict) else {}


def _variables(environ: Mapping[str, str], problems: list[Problem]) -> list[tuple[str, tuple[str, ...], str]]:
    """Return name, path and value of Rollcall's variables, whole sections before single keys. Adds to `problems`.

    A variable without `__` that names no section is ignored: Kubernetes sets `ROLLCALL_SERVICE_HOST` and
    `ROLLCALL_PORT` beside a service called rollcall.
    """
    found: list[tuple[str, tuple[str, ...], str]] = []
    for name, value in environ.items():
        if name in SLACK_VARIABLES and value.strip():
            found.append((name, SLACK_VARIABLES[name], value))
        elif name.upper().startswith(PREFIX):
            path = tuple(name[len(PREFIX) :].lower().split("__"))
            if path[0] == "approvals" and len(path) > 1:
                problems.append(Problem(name, "approvals", f"is a list; set {PREFIX}APPROVALS to all rules as JSON"))
            elif path[0] in Settings.model_fields:
                found.append((name, path, value))
            elif len(path) > 1:
                hint = suggestion(path[0], Settings.model_fields)
                problems.append(Problem(name, path[0], f"isn't a section; {hint}"))
    return sorted(found, key=lambda variable: (len(variable[1]), variable[0] not in SLACK_VARIABLES, variable[0]))


def _add(sources: Sources, name: str, path: tuple[str, ...], value: str) -> None:
    """Set the keys of one variable. pydantic-settings knows which values are JSON."""
    try:
        path = _as_written(sources, path)
    except ValueError as error:
        sources.problems.append(Problem(name, dotted(path[:2]), str(error)))
        return
    reader = EnvSettingsSource(Settings)
    reader.env_vars = {PREFIX.lower() + "__".join(path): value}
    try:
        _merge(sources.keys, reader())
    except SettingsError:
        form = '["a", "b"]' if len(path) > 1 else "the same as in the file"
        sources.problems.append(Problem(name, dotted(path), f"must be JSON: {form}"))
        return
    sources.variables[path] = name


def _as_written(sources: Sources, path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the path with the entry that a variable means: `US_WEST` is `us-west`.

    Raises:
        ValueError: two entries match.
    """
    if path[0] not in _REQUIRED_KEYS or len(path) == 1:
        return path
    known = [entry for entry in _table(sources.keys, path[:1]) if plain(entry) == plain(path[1])]
    if len(known) > 1:
        raise ValueError(f"could be {' or '.join(map(repr, known))}; rename one of them")
    return (path[0], known[0] if known else path[1], *path[2:])


def _merge(keys: dict[str, Any], override: Mapping[str, Any]) -> None:
    for key, value in override.items():
        if isinstance(value, dict) and isinstance(keys.get(key), dict):
            _merge(keys[key], value)
        else:
            keys[key] = value


def _misspelt(sources: Sources, written: Mapping[str, set[str]]) -> Iterator[tuple[str, str, Problem]]:
    """Yield incomplete entries that only variables name: these are misspelt names rather than new entries."""
    if not sources.keys.keys() <= Settings.model_fields.keys():
        return  # the section itself is misspelt, which is reported instead
    for section, required in _REQUIRED_KEYS.items():
        for entry, values in _table(sources.keys, (section,)).items():
            if written[section] and entry not in written[section] and required not in values:
                variable = next(name for path, name in sources.variables.items() if path[:2] == (section, entry))
                text = f"isn't in the file and has no {required}; {suggestion(entry, written[section])}"
                yield section, entry, Problem(variable, dotted((section, entry)), text)


def _read_secret_files(sources: Sources) -> None:
    """Set each secret from its `*_file`, unless the secret itself is set too."""
    connections: list[KeyPath] = [("connections", name, "token") for name in _table(sources.keys, ("connections",))]
    for path in [*SLACK_VARIABLES.values(), *connections]:
        table = _table(sources.keys, path[:-1])
        file_key = f"{path[-1]}_file"
        named = table.get(file_key)
        if isinstance(named, str) and path[-1] not in table:
            table[str(path[-1])] = _secret_in(Path(named), sources, (*path[:-1], file_key))


def _secret_in(file: Path, sources: Sources, path: KeyPath) -> str:
    """Return the secret in a file. If there is none, add a problem, and return a placeholder."""
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it isn't text"
        text = f"names a file that can't be read ({reason}): {_tried(file)}; check its path"
        sources.problems.append(sources.problem(path, text))
        return _UNREADABLE
    if not secret:
        sources.problems.append(sources.problem(path, "names an empty file; put the secret into it"))
    return secret or _UNREADABLE


def _tried(file: Path) -> str:
    """Return the path that was tried. A name that may be a secret, put there by mistake, is hidden."""
    written = str(file)
    is_path = _PATH.fullmatch(written) and ("/" in written or file.suffix) and not is_slack_token(written)
    return str(file.absolute()) if is_path else f"a hidden name in {Path.cwd()}"
