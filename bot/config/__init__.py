"""The settings. `load` reads `rollcall.toml` and the environment, and reports all errors."""

import os
from collections.abc import Mapping
from pathlib import Path

from bot.config.checks import check
from bot.config.errors import ConfigurationError, configuration_error
from bot.config.model import (
    ApprovalSettings,
    ConnectionSettings,
    GroupSettings,
    Pace,
    ProviderName,
    RoleSettings,
    ServerSettings,
    Settings,
    SlackCredentials,
    SlackSettings,
    StorageSettings,
)
from bot.config.sources import read

__all__ = [
    "ApprovalSettings",
    "ConfigurationError",
    "ConnectionSettings",
    "GroupSettings",
    "Pace",
    "ProviderName",
    "RoleSettings",
    "ServerSettings",
    "Settings",
    "SlackCredentials",
    "SlackSettings",
    "StorageSettings",
    "load",
]

DEFAULT_FILE = Path("rollcall.toml")


def load(config: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the configuration.

    Args:
        config: the configuration file, which must exist; None for `rollcall.toml` in the working directory, which
            need not exist if the environment is enough.
        environ: the environment, which wins over the file; None for the process's own.

    Raises:
        ConfigurationError: the configuration is invalid. Each of its lines has the file or variable, the key, and the
            remedy.
    """
    sources = read(config or DEFAULT_FILE, os.environ if environ is None else environ, required=config is not None)
    if sources.file is None and not sources.keys.get("connections"):
        raise ConfigurationError(
            f"{DEFAULT_FILE}: no such file, and the environment names no connection;"
            f" copy rollcall.example.toml to {DEFAULT_FILE}, or name another file with --config"
        )
    settings, findings = check(sources.keys)
    found = [sources.problem(path, text) for path, text in findings]
    known = tuple(problem.key for problem in sources.problems)
    problems = [*sources.problems, *(problem for problem in found if problem.key not in known)]
    if settings is None or problems:
        raise configuration_error(problems)
    return settings
