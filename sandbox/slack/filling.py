"""What a person puts into the elements of a view or message, as Slack's client sends it.

Source of the limits of files: https://docs.slack.dev/reference/block-kit/block-elements/file-input-element
"""

from typing import TYPE_CHECKING, Any

from sandbox.slack import forms
from sandbox.slack.files import add_file, file_object
from sandbox.slack.workspace import SlackView, Upload, Workspace

if TYPE_CHECKING:
    from sandbox.slack.server import SlackServer

MAX_FILE_BYTES = 10 * 1024 * 1024
NamedFile = tuple[str, bytes] | str
"""A file's name and content, or the id of a file that the person has uploaded."""


async def fill(server: "SlackServer", view: SlackView, values: dict[str, Any]) -> None:
    """Put values into the elements of a view, by the names that `forms.find` knows.

    Raises:
        LookupError: the view has no such element.
        InvalidInput: Slack's client would not take a value.
    """
    for name, value in values.items():
        block, element = forms.find(view.body["blocks"], name)
        view.typed[block["block_id"], element["action_id"]] = await enter(server, view, block, element, value)


async def enter(
    server: "SlackServer", view: SlackView, block: dict[str, Any], element: dict[str, Any], value: Any
) -> dict[str, Any]:
    """Return an element's state after a person put `value` in; an external select is asked for its options first.

    An option that the select has offered to this person before is taken without asking again, as Slack's client does.

    Raises:
        InvalidInput: Slack's client would not take the value.
    """
    options = forms.offered(element)
    if element["type"] == "file_input":
        uploads = [find_or_add(server.workspace, view.user, each) for each in value or []]
        _check_files(element, uploads)
        value = [file_object(upload, server.base_url) for upload in uploads]
    elif element["type"].endswith("external_select") and value is not None:
        seen = _seen_options(view, block, element)
        for wanted in value if isinstance(value, list) else [value]:
            options += seen if wanted in seen else await _look_up(server, view, element, wanted)
    return forms.entered(element, value, options)


def find_or_add(workspace: Workspace, user: str, file: NamedFile) -> Upload:
    """Return an uploaded file by its id, or add one with a name and content.

    Raises:
        LookupError: there is no file with this id.
    """
    return workspace.files[file] if isinstance(file, str) else add_file(workspace, user, *file)


def action(workspace: Workspace, block: dict[str, Any], element: dict[str, Any], state: dict[str, Any]) -> Any:
    """Return the action that a payload carries for an element that was used."""
    carried: dict[str, Any] = {name: element[name] for name in ("text", "value", "style") if name in element}
    ids: dict[str, Any] = {
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "type": element["type"],
    }
    return {**ids, **carried, **state, "action_ts": workspace.new_ts()}


def _check_files(element: dict[str, Any], uploads: list[Upload]) -> None:
    most = element.get("max_files", 10)
    if len(uploads) > most:
        raise forms.InvalidInput(f"{len(uploads)} files, the most is {most}")
    for upload in uploads:
        if upload.length > MAX_FILE_BYTES:
            raise forms.InvalidInput(f"{upload.name} is larger than 10 MB")


def _seen_options(view: SlackView, block: dict[str, Any], element: dict[str, Any]) -> list[dict[str, Any]]:
    key = (block["block_id"], element["action_id"])
    held = view.typed.get(key, {})
    chosen = [held.get("selected_option"), element.get("initial_option")]
    several = [*held.get("selected_options", []), *element.get("initial_options", [])]
    return [*view.offered.get(key, []), *(option for option in chosen if option), *several]


async def _look_up(
    server: "SlackServer", view: SlackView, element: dict[str, Any], wanted: Any
) -> list[dict[str, Any]]:
    text = wanted if isinstance(wanted, str) else wanted["text"]["text"]
    found = await server.suggest(view.user, view.body["id"], element["action_id"], text)
    return found or await server.suggest(view.user, view.body["id"], element["action_id"], "")
