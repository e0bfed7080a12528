"""Move trees over HTTP.

Law: a body is never whole in memory and never larger on disk than the operator's
limit; it lies in a nameless temporary file that is gone when the request ends.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import BinaryIO

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from bioskills.base.problems import InputError
from bioskills.base.text import _
from bioskills.base.wire import TAR, FileEntry
from bioskills.hub.campus.objects import DiskFullError, Objects, refusing_full_disk
from bioskills.hub.campus.site import Refused, Site
from bioskills.hub.campus.trees import Tree, body_limit, take_in, tar_of

# A little more is read and thrown away, so that the sender hears why and not just "broken pipe".
_PATIENCE = 2


async def received_tree(
    request: Request,
    site: Site,
    check_paths: Callable[[frozenset[str]], None] = lambda _paths: None,
) -> Tree:
    """Return the tree that the request's body holds, stored.

    Args:
        request: With a tar archive as its body.
        site: For the limits and the store.
        check_paths: Refuses files that are not wanted, before anything is stored.

    Raises:
        Refused: Too large, faulty, cut off, or no room for it.
    """
    try:
        async with _received(request, site) as body:
            limits = site.settings.exchange
            return await run_in_threadpool(take_in, body, limits, site.objects, check_paths)
    except DiskFullError as error:
        raise Refused(507, "disk_full", str(error), _("Your files stay where they are.")) from error
    except InputError as error:
        message = _("Nothing was taken, because of these files:\n{faults}").format(faults=error)
        raise Refused(422, "tree", message, _("Correct it and send it again.")) from error


def tar_response(
    files: list[FileEntry], objects: Objects, headers: dict[str, str] | None = None
) -> StreamingResponse:
    """Return an answer that streams stored files as tar.

    Raises:
        Refused: A file is missing in the store.
    """
    # Asked first: an answer that has begun cannot say that it failed.
    missing = [entry.path for entry in files if not objects.has(entry.sha256)]
    if missing:
        message = _("{n} files of it are missing in the store.").format(n=len(missing))
        raise Refused(500, "missing_object", message, _("Tell the people who run this site."))
    return StreamingResponse(tar_of(files, objects), media_type=TAR, headers=headers)


@asynccontextmanager
async def _received(request: Request, site: Site) -> AsyncIterator[BinaryIO]:
    limit = body_limit(site.settings.exchange)
    with site.objects.temporary() as file:
        with refusing_full_disk():
            size = await _fill(request, file, limit)
            file.flush()
        if size > limit:
            message = _("This is larger than the {n} MB that are accepted.")
            message = message.format(n=site.settings.exchange.max_tree_mb)
            after = _("Remove outputs and data you did not need, then send it again.")
            raise Refused(413, "too_large", message, after)
        yield file


async def _fill(request: Request, file: BinaryIO, limit: int) -> int:
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size <= limit:
                await run_in_threadpool(file.write, chunk)
            elif size > _PATIENCE * limit:
                break
    except ClientDisconnect as error:
        raise Refused(400, "cut_off", _("The connection ended before everything came.")) from error
    return size
