"""The connection below a request: cut off, kept without an answer, or answered late."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.emulator.faults.player import Turn

_TRANSPORT = "emulator.transport"
_HANGING = "emulator.hanging"


class Connection(H11Protocol):
    """uvicorn's connection, which lets the application at its transport."""

    hanging: bool = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wrap the application, so that the scope of each request holds this connection."""
        super().connection_made(transport)
        self.app = _knowing(self, self.app)


def _knowing(connection: Connection, app: ASGIApp) -> ASGIApp:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        scope[_TRANSPORT] = connection
        await app(scope, receive, send)

    return serve


async def is_cut(scope: Scope, receive: Receive, turn: Turn) -> bool:
    """Play what a turn does to the connection; whether nothing is left to be answered.

    Returns early when the client has gone, or the server stops.
    """
    connection: Connection = scope[_TRANSPORT]
    if turn.late and await _waited(connection, receive, turn.late):
        return True
    if not turn.cut:
        return False
    if turn.cut == "reset":
        _reset(connection.transport)
        await _gone(receive)
    elif not await _waited(connection, receive, turn.cut_after):
        connection.transport.abort()
        await _gone(receive)
    return True


async def _waited(connection: Connection, receive: Receive, seconds: float | None) -> bool:
    """Wait for so long, or for ever; whether the client has gone meanwhile."""
    connection.hanging = True
    try:
        await asyncio.wait_for(_gone(receive), seconds)
    except TimeoutError:
        return False
    finally:
        connection.hanging = False
    return True


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _reset(transport: asyncio.Transport) -> None:
    """Close at once with a TCP reset: what was not sent is thrown away."""
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def hang_up(connections: Iterable[object]) -> None:
    """Close those of the connections that wait without an answer."""
    for connection in list(connections):
        if isinstance(connection, Connection) and connection.hanging:
            connection.transport.abort()
