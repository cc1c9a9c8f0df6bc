"""HTTP around the service: an ASGI application, and uvicorn on a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from reconciler.emulator.connection import Connection, hang_up, is_cut
from reconciler.emulator.errors import invalid_content
from reconciler.emulator.faults.player import NO_FAULT, Turn
from reconciler.emulator.jsonval import Json
from reconciler.emulator.service import Service
from reconciler.emulator.world import Call, Reply

_SLASHES = re.compile(r"/{2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """A request that was answered, for assertions. `body` is as sent, secrets and all.

    `status` is what the service decided; 0 where a fault kept the request from it. What the client
    saw is in `answered`: the same, unless a fault hid it; None where nothing came.
    """

    method: str
    path: str
    query: dict[str, str]
    status: int
    body: Json = field(repr=False)
    answered: int | None = None
    faults: tuple[str, ...] = ()  # the rules that were played on it


Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answered:
    """What came of a request: what the service decided and, if any, what goes out."""

    body: Json
    status: int
    reply: Reply | None
    turn: Turn = NO_FAULT


def application(service: Service, log: Callable[[LoggedRequest], None] | None) -> Asgi:
    """The ASGI application that answers for `service` and tells `log` of each request."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            raw = await request.body()
        except ClientDisconnect:
            return  # nobody is left to answer
        query = {key.lower(): value for key, value in request.query_params.items()}
        path = _SLASHES.sub("/", request.scope["path"])
        call = Call(
            method=request.method,
            path=path.rstrip("/") or "/",
            query=query,
            body=None,
            base=f"{request.url.scheme}://{request.url.netloc}",
        )
        answered = await _answer(service, call, raw)
        if log is not None:
            log(
                LoggedRequest(
                    method=call.method,
                    path=call.path,
                    query=query,
                    status=answered.status,
                    body=answered.body,
                    answered=answered.reply.status if answered.reply else None,
                    faults=answered.turn.names,
                )
            )
        if await is_cut(scope, receive, answered.turn):
            return
        if answered.reply is not None:
            await _response(answered.reply)(scope, receive, send)

    return serve


async def _answer(service: Service, call: Call, raw: bytes) -> _Answered:
    body: Json = None
    if raw:
        try:
            body = json.loads(raw)
        except ValueError as exc:
            refusal = invalid_content(f"it is not JSON: {exc}.")
            unread = Reply(status=refusal.status, body=refusal.body)
            return _Answered(body=None, status=unread.status, reply=unread)
    call = replace(call, body=body)
    if service.intercept is not None:
        # On another thread: what a test puts here may well sleep.
        intercepted = await run_in_threadpool(service.intercept, call)
        if intercepted is not None:
            return _Answered(body=body, status=intercepted.status, reply=intercepted)
    turn = service.turn(call)
    decided = service.answer(call, turn.effects) if turn.is_carried_out else None
    status = decided.status if decided is not None else 0
    if turn.cut:
        return _Answered(body=body, status=status, reply=None, turn=turn)
    reply = service.dressed(turn.reply) if turn.reply is not None else decided
    return _Answered(body=body, status=status, reply=reply, turn=turn)


def _response(reply: Reply) -> Response:
    text = reply.text
    if text is None and reply.body is not None:
        text = json.dumps(reply.body)
    headers = dict(reply.headers)
    if text is not None:
        headers.setdefault("Content-Type", "application/json; charset=utf-8")
    return Response(text, status_code=reply.status, headers=headers)


class _Server(uvicorn.Server):
    """uvicorn's server, but it stops when told instead of looking ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does, but nobody waits for what is never answered."""
        hang_up(self.server_state.connections)
        await super().shutdown(sockets)

    async def main_loop(self) -> None:
        """Tick as uvicorn does, until told to stop."""
        self._loop = asyncio.get_running_loop()
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), timeout=0.1)

    def tell_to_stop(self) -> None:
        """From any thread."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._told.set)


class HttpServer:
    """uvicorn on a daemon thread; the port is open when the constructor returns."""

    def __init__(self, application: Asgi, host: str, port: int) -> None:
        self._socket = _listen(host, port)
        # Quiet: the emulator keeps its own log, and a test run has no use for another.
        config = uvicorn.Config(
            application,
            http=Connection,
            log_config=None,  # uvicorn's own asks stdout for a terminal, and there may be no stdout
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
            server_header=False,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="emulator", daemon=True
        )

    @property
    def address(self) -> tuple[str, int]:
        """The host and the port it listens on."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    def start(self) -> None:
        """Serve; returns when requests are answered."""
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.001)

    def stop(self) -> None:
        """Stop serving and close every socket."""
        self._server.tell_to_stop()
        self._thread.join(timeout=10)
        self._socket.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named: 40 ms a request.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except OSError:
        listener.close()
        raise
    return listener
