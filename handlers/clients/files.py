"""Files between a person and the bot: those that it gives out, and those that somebody uploaded into a form."""

import asyncio
from urllib.parse import urlsplit

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.services.uploads.contents import MOST_BYTES
from handlers.clients.errors import error_code
from handlers.views.submitted_view import UploadedFile

FETCH_TIMEOUT = 30.0
"""Seconds for fetching a file."""
_TOO_LARGE = f"The file is larger than {MOST_BYTES // 1_000_000} MB. Upload it in parts."
_NOT_HANDED_OUT = "it is gone, or in a channel that I am not in. What you upload into a form, I can read."
_NOT_FETCHED = "The file could not be fetched from Slack. Try again."
_PIECE = 1 << 16

log = structlog.get_logger(__name__)


class FileUnavailable(Exception):
    """An uploaded file could not be had; the text is a sentence for people."""


async def fetch_file(client: AsyncWebClient, file: UploadedFile) -> tuple[str, bytes]:
    """Fetch an uploaded file (files.info, `url_private_download`; scope files:read), and give its name and content.

    Raises `CannotFetch`.
    """
    try:
        async with asyncio.timeout(FETCH_TIMEOUT):
            if not file.url_private_download or not file.name:
                file = await _described(client, file.id)
            return file.name, await _content(client, file)
    except SlackApiError as error:
        log.warning("file_not_described", file=file.id, error=error_code(error))
        word = error_code(error)
        raise FileUnavailable(
            f"Slack does not hand the file out ({word}): {_NOT_HANDED_OUT}" if word else _NOT_FETCHED
        ) from error
    except (aiohttp.ClientError, TimeoutError) as error:
        log.warning("file_not_fetched", file=file.id, error=type(error).__name__)
        raise FileUnavailable(_NOT_FETCHED) from error


async def _described(client: AsyncWebClient, file_id: str) -> UploadedFile:
    answer = await client.files_info(file=file_id)
    return UploadedFile.model_validate(answer["file"])


async def _content(client: AsyncWebClient, file: UploadedFile) -> bytes:
    if file.size > MOST_BYTES:
        raise FileUnavailable(_TOO_LARGE)
    if not _is_slacks(file.url_private_download, client.base_url):
        log.warning("file_elsewhere", file=file.id)
        raise FileUnavailable("The file is not kept by Slack itself. Upload it from your own device.")
    headers = {"Authorization": f"Bearer {client.token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(file.url_private_download, headers=headers, allow_redirects=False) as response,
    ):
        if response.status != 200 or response.content_type == "text/html":  # noqa: PLR2004 - a login page, if anything
            log.warning("file_refused", file=file.id, status=response.status)
            raise FileUnavailable(f"Slack does not hand the file out: the app lacks `files:read`, or {_NOT_HANDED_OUT}")
        content = bytearray()
        async for piece in response.content.iter_chunked(_PIECE):
            content += piece
            if len(content) > MOST_BYTES:
                raise FileUnavailable(_TOO_LARGE)
    return bytes(content)


def _is_slacks(url: str, api_url: str) -> bool:
    """Tell whether an address may see the bot's token: that of the Web API, or its neighbour `files.`, as safely."""
    address, api = urlsplit(url), urlsplit(api_url)
    return address.scheme == api.scheme and address.netloc in {api.netloc, f"files.{api.netloc}"}
