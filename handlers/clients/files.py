"""Files that people uploaded to Slack."""

import asyncio
from urllib.parse import urlsplit

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.services.uploads.contents import MAX_BYTES
from handlers.clients.errors import error_code
from handlers.payloads import UploadedFile
from providers.text import clean_json

FETCH_TIMEOUT = 30.0
"""Seconds to fetch a file."""
_TOO_LARGE = f"The file is larger than {MAX_BYTES // 1_000_000} MB. Upload it in parts."
_UNAVAILABLE = "the file was deleted, or it is in a channel that the bot isn't in. Upload it in the form instead."
_NOT_FETCHED = "Couldn't fetch the file from Slack. Try again."
_CHUNK_BYTES = 1 << 16

log = structlog.get_logger(__name__)


class FileUnavailable(Exception):
    """An uploaded file can't be fetched. The text is a sentence for the person."""


async def fetch_file(client: AsyncWebClient, file: UploadedFile) -> tuple[str, bytes]:
    """Fetch an uploaded file, and return its name and content.

    Raises `FileUnavailable`.

    Source: docs.slack.dev, files.info (`url_private_download`; scope files:read).
    """
    try:
        async with asyncio.timeout(FETCH_TIMEOUT):
            if not file.url_private_download or not file.name:
                file = await _info(client, file.id)
            return file.name, await _content(client, file)
    except SlackApiError as error:
        log.warning("file_info_not_read", file=file.id, error=error_code(error))
        code = error_code(error)
        reason = f"Slack refused the file ({code}): {_UNAVAILABLE}" if code else _NOT_FETCHED
        raise FileUnavailable(reason) from error
    except (aiohttp.ClientError, TimeoutError) as error:
        log.warning("file_not_fetched", file=file.id, error=type(error).__name__)
        raise FileUnavailable(_NOT_FETCHED) from error


async def _info(client: AsyncWebClient, file_id: str) -> UploadedFile:
    answer = await client.files_info(file=file_id)
    return UploadedFile.model_validate(clean_json(answer["file"]))


async def _content(client: AsyncWebClient, file: UploadedFile) -> bytes:
    if file.size > MAX_BYTES:
        raise FileUnavailable(_TOO_LARGE)
    if not _is_on_slack(file.url_private_download, client.base_url):
        log.warning("file_not_on_slack", file=file.id)
        raise FileUnavailable("The file isn't stored at Slack. Upload it from your own device.")
    headers = {"Authorization": f"Bearer {client.token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(file.url_private_download, headers=headers, allow_redirects=False) as response,
    ):
        if response.status != 200 or response.content_type == "text/html":  # noqa: PLR2004 - a login page, if anything
            log.warning("file_refused", file=file.id, status=response.status)
            raise FileUnavailable(f"Slack refused the file: the app lacks `files:read`, or {_UNAVAILABLE}")
        content = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            content += chunk
            if len(content) > MAX_BYTES:
                raise FileUnavailable(_TOO_LARGE)
    return bytes(content)


def _is_on_slack(url: str, api_url: str) -> bool:
    """Return whether a URL may receive the bot's token: its host is the Web API's, or `files.` before that."""
    address, api = urlsplit(url), urlsplit(api_url)
    return address.scheme == api.scheme and address.netloc in {api.netloc, f"files.{api.netloc}"}
