"""Checks that JSON has a shape: each writes what is wrong, with a JSON pointer, in Slack's words."""

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any, str, list[str]], None]


def complain(errors: list[str], message: str, pointer: str) -> None:
    """Add one line in the form of Slack's `response_metadata.messages`."""
    errors.append(f"{message} [json-pointer:{pointer}]")


def anything(_value: Any, _pointer: str, _errors: list[str]) -> None:
    """Accept every value."""


def flag(value: Any, pointer: str, errors: list[str]) -> None:
    """Accept a boolean."""
    if not isinstance(value, bool):
        complain(errors, "must be a boolean", pointer)


def string(most: int, least: int = 1) -> Check:
    """Accept a string of `least` to `most` characters."""

    def check(value: Any, pointer: str, errors: list[str]) -> None:
        if not isinstance(value, str):
            complain(errors, "must be a string", pointer)
        elif len(value) > most:
            complain(errors, f"must be less than {most + 1} characters", pointer)
        elif len(value) < least:
            complain(errors, f"must be more than {least - 1} characters", pointer)

    return check


def number(least: int, most: int) -> Check:
    """Accept an integer from `least` to `most`."""

    def check(value: Any, pointer: str, errors: list[str]) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            complain(errors, "must be an integer", pointer)
        elif not least <= value <= most:
            complain(errors, f"must be between {least} and {most}", pointer)

    return check


def one_of(*allowed: str) -> Check:
    """Accept one of these strings."""

    def check(value: Any, pointer: str, errors: list[str]) -> None:
        if value not in allowed:
            complain(errors, f"must be one of: {', '.join(allowed)}", pointer)

    return check


def items(check_item: Check, most: int, least: int = 1) -> Check:
    """Accept an array of `least` to `most` items, each of which passes."""

    def check(value: Any, pointer: str, errors: list[str]) -> None:
        if not isinstance(value, list):
            complain(errors, "must provide an array", pointer)
            return
        if len(value) > most:
            complain(errors, f"no more than {most} items allowed", pointer)
        if len(value) < least:
            complain(errors, f"no less than {least} items allowed" if least > 1 else "must not be empty", pointer)
        for index, item in enumerate(value):
            check_item(item, f"{pointer}/{index}", errors)

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """Accept an object with these fields and no others. `type` is left to `tagged`."""
    known = {**required, **(optional or {}), "type": anything}

    def check(value: Any, pointer: str, errors: list[str]) -> None:
        if not isinstance(value, dict):
            complain(errors, "must provide an object", pointer)
            return
        for name in required:
            if name not in value:
                complain(errors, f"missing required field: {name}", pointer)
        for name, field in value.items():
            if name in known:
                known[name](field, f"{pointer}/{name}", errors)
            else:
                complain(errors, f"invalid additional property: {name}", pointer)

    return check


def tagged(kinds: Mapping[str, Check]) -> Check:
    """Accept an object whose `type` is one of these kinds, and check it as that kind."""

    def check(value: Any, pointer: str, errors: list[str]) -> None:
        if not isinstance(value, dict):
            complain(errors, "must provide an object", pointer)
            return
        kind = value.get("type")
        if not isinstance(kind, str):
            complain(errors, "missing required field: type", pointer)
        elif kind not in kinds:
            complain(errors, f"unsupported type: {kind}", f"{pointer}/type")
        else:
            kinds[kind](value, pointer, errors)

    return check


def both(*checks: Check) -> Check:
    """Accept what passes every one of these checks."""

    def check(value: Any, pointer: str, errors: list[str]) -> None:
        for each in checks:
            each(value, pointer, errors)

    return check


def rule(holds: Callable[[Any], bool], message: str) -> Check:
    """Accept an object for which `holds` is true; what is no object is left to the other checks."""

    def check(value: Any, pointer: str, errors: list[str]) -> None:
        if isinstance(value, dict) and not holds(value):
            complain(errors, message, pointer)

    return check
