"""`/metrics`, `/healthz` and `/readyz`, on the same loop as the work: if it hangs, so do they."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from bridge.errors import UserError


def parse_address(text: str) -> tuple[str, int] | None:
    """`127.0.0.1:8080`, `:8080` (all addresses), or `0` for none. Raises `UserError`."""
    if text in {"", "0"}:
        return None
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise UserError(
            f"--metrics-addr {text!r} is no address", fix="Say host:port, as in 127.0.0.1:8080, or 0"
        )
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - the user's choice, as elsewhere in Kubernetes


@asynccontextmanager
async def serve(
    address: tuple[str, int], metrics: Callable[[], bytes], problems: Callable[[], list[str]]
) -> AsyncIterator[int]:
    """Serve until left; the port, which is chosen by the system where 0 was asked for.

    `problems` says why the process is not ready. Raises `UserError` where the address can't be had.
    """

    async def show_metrics(_: web.Request) -> web.Response:
        return web.Response(body=metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthy(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        found = problems()
        return web.Response(text="\n".join(found or ["ok"]) + "\n", status=503 if found else 200)

    app = web.Application()
    app.router.add_get("/metrics", show_metrics)
    app.router.add_get("/healthz", healthy)
    app.router.add_get("/readyz", ready)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        host, port = address
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise UserError(
                f"{host}:{port} can't be listened on: {error.strerror or error}",
                fix="Choose another --metrics-addr, or 0 for none",
            ) from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
