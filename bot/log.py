"""Logging: one line of JSON or plain text for each event, on stderr, with phone numbers and tokens redacted."""

import logging
import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

_PHONE = re.compile(r"(?<![\w.:-])((?:\+|%2B)?\(?\d(?:[ ().-]{0,2}\d){2})(?:[ ().-]{0,2}\d){4,14}(?!\w|[.:-]\d)")
_TOKEN = re.compile(r"(?i)\b(xox[a-z]-|xapp-|bearer\s+|wa_|ticket=)[\w.~+/=-]{4,}")


def configure(*, json_lines: bool, min_level: int = logging.INFO) -> None:
    """Write Rollcall's events of at least `min_level`, and the libraries' warnings, to stderr."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer = structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(min_level),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("bot", "handlers", "providers"):
        logging.getLogger(name).setLevel(min_level)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Shorten every phone number and token in an event's texts."""
    return {key: _redacted(value) if isinstance(value, str) else value for key, value in event.items()}


def _redacted(text: str) -> str:
    return _TOKEN.sub(r"\1•••", _PHONE.sub(r"\1•••", text))
