"""Be the servers behind the proxy: one port for each learner, all in this process.

Law: as little work as possible, so that the proxy is what is measured. Prints its
ports as one JSON line and ends when its input ends.
"""

import asyncio
import json
import sys

from aiohttp import WSMsgType, web

MEGABYTE = 1_000_000
FILE = b"/* what JupyterLab loads */ let x = 1;\n" * (4 * MEGABYTE // 39 + 1)


async def echo(request: web.Request) -> web.WebSocketResponse:
    """Answer every message with itself, as a kernel's websocket carries it."""
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
    return socket


async def static(request: web.Request) -> web.Response:
    """Answer with so many megabytes."""
    size = int(request.match_info["size"]) * MEGABYTE
    return web.Response(body=memoryview(FILE)[:size], content_type="text/javascript")


async def about(request: web.Request) -> web.Response:
    """Answer whose server this is; the hub also looks here whether it is up."""
    return web.json_response({"port": request.transport.get_extra_info("sockname")[1]})


async def serve(count: int) -> None:
    """Listen until the input ends."""
    app = web.Application()
    app.router.add_get("/user/{name}/channels", echo)
    app.router.add_get("/user/{name}/static/{size}", static)
    app.router.add_get("/user/{name}/{rest:.*}", about)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    sites = [web.TCPSite(runner, "127.0.0.1", 0) for _number in range(count)]
    for site in sites:
        await site.start()
    ports = [address[1] for address in runner.addresses]
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
