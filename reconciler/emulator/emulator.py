"""The emulator as others use it: start, stop, look inside, change things behind a client's back."""

from __future__ import annotations

import copy
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.emulator.facts import Foreign, Group, ResourceGroup, begin, healed
from reconciler.emulator.faults import Faults
from reconciler.emulator.faults.player import Player
from reconciler.emulator.jsonval import Json, JsonObject
from reconciler.emulator.losses import Losses
from reconciler.emulator.offer import Offer
from reconciler.emulator.pace import Kind, Pace, Polls
from reconciler.emulator.properties import spec_of
from reconciler.emulator.readback import shown
from reconciler.emulator.records import Records
from reconciler.emulator.server import HttpServer, LoggedRequest, application
from reconciler.emulator.service import Service
from reconciler.emulator.settings import Usual
from reconciler.emulator.store import Database, GroupKey
from reconciler.emulator.throttle import Limits, Throttle
from reconciler.emulator.world import Answers, Call, Reply, World
from reconciler.emulator.writes import start_of

_VERSION = "2023-05-01"


class Emulator:
    """A local ARM with Azure Container Instances, over plain HTTP.

    `database` is kept across processes, or None for memory; `time` says how transitions come to
    their end. Bodies of requests are kept for assertions while `record` is true. `drops` and
    `faults` are what goes wrong: see the methods `drops` and `plays`. `quotas` is like
    `{"StandardCores": 10}`, `capabilities` like `{"maxCpu": 4}`, `registration` is of the provider.

    Raises:
        ValueError: `drops` holds no pointer, or `faults` no script (`FaultsInvalid`).
        EmulatorStateUnusable: the database is damaged, foreign, or cannot be opened.
    """

    def __init__(
        self,
        *,
        database: Path | None = None,
        time: Pace | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: Limits | None = None,
        answers: Answers | None = None,
        page_size: int = 1000,
        record: bool = True,
        drops: Iterable[str] = (),
        faults: Faults | Json = None,
        quotas: JsonObject | None = None,
        capabilities: JsonObject | None = None,
        registration: str = "",
    ) -> None:
        self.time: Pace = time if time is not None else Polls()
        self._address = (host, port)
        self._requests: list[LoggedRequest] | None = [] if record else None
        self._http: HttpServer | None = None
        self._service = Service(
            database=Database(database),
            pace=self.time,
            answers=answers or Answers(),
            throttle=Throttle(limits or Limits()),
            page_size=page_size,
            losses=Losses.of(drops),
        )
        self._usual = Usual(
            limits=limits or Limits(),
            page_size=page_size,
            offer=Offer().changed(quotas or {}, capabilities or {}, registration),
        )
        self.plays(faults)

    # Running

    def start(self) -> Self:
        """Serve on a thread of its own; `url` is known from here on.

        Raises:
            OSError: the port is taken.
        """
        log = self._requests.append if self._requests is not None else None
        try:
            self._http = HttpServer(application(self._service, log), *self._address)
        except OSError:
            self._service.database.close()
            raise
        self._http.start()
        return self

    def stop(self) -> None:
        """Close every socket and the database; a second call does nothing."""
        if self._http is not None:
            self._http.stop()
            self._http = None
        self._service.database.close()

    def serve_forever(self) -> None:
        """Serve until interrupted (Ctrl-C), then stop."""
        if self._http is None:
            self.start()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass
        finally:
            self.stop()

    def __enter__(self) -> Self:
        """A running emulator."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """A stopped one."""
        self.stop()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end.

        Raises:
            RuntimeError: it is not running.
        """
        if self._http is None:
            raise RuntimeError("the emulator is not running: call start() first")
        host, port = self._http.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    # Looking

    @property
    def requests(self) -> tuple[LoggedRequest, ...]:
        """The requests answered so far, in order."""
        return tuple(self._requests or ())

    def count(self, method: str, *, containing: str = "") -> int:
        """How many requests had this method and `containing` in their path, in any case."""
        part = containing.lower()
        return sum(r.method == method and part in r.path.lower() for r in self.requests)

    @property
    def dropped(self) -> Counter[str]:
        """Members of bodies that the service did not keep, by path.

        One that it does not know has `*` for a list element; one lost by `drops`, the element's
        name.
        """
        return self._service.dropped

    def groups(self, subscription: str | None = None) -> list[JsonObject]:
        """The container groups as a GET would show them, without counting as a read."""
        with self._world() as world:
            return [
                shown(group, _VERSION, world.moment(reads))
                for group, reads in world.records.groups(subscription)
            ]

    def restarts(self, subscription: str, resource_group: str, name: str) -> int:
        """How often the group's containers were restarted in place, by PUT or by restart.

        Raises:
            KeyError: there is no such group.
        """
        with self._world() as world:
            return _existing(world, subscription, resource_group, name)[0].restarts

    # Meddling

    @property
    def intercept(self) -> Callable[[Call], Reply | None] | None:
        """Asked before each request; what it returns is the answer, None lets the request pass."""
        return self._service.intercept

    @intercept.setter
    def intercept(self, interceptor: Callable[[Call], Reply | None] | None) -> None:
        self._service.intercept = interceptor

    @property
    def faults(self) -> Faults:
        """The script that is being played."""
        return self._service.player.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._service.player = Player(faults)
        self._usual.put_in(self._service, faults)

    @property
    def played(self) -> Counter[str]:
        """How often each rule of the script was played, by its name; so far."""
        return Counter(self._service.player.played)

    def plays(self, script: Faults | Json) -> None:
        """From now on, play this script, or this list of rules; None ends it. See docs/faults.md.

        Counting begins anew. What faults have done to groups stays: `heals` undoes that.

        Raises:
            FaultsInvalid: it is no script.
        """
        if not isinstance(script, Faults):
            script = Faults.parse(script if script is not None else [])
        self.faults = script

    def heals(self) -> None:
        """From now on all is well: no fault is played, nothing is seen wrongly, nobody is ill.

        An operation that would never end has timed out; provisioning that failed has failed.
        """
        self.plays(None)
        self._service.mirages.clear()
        with self._world() as world:
            for group, reads in world.records.groups():
                if group.ailments or group.ending.timeout is not None:
                    world.records.save(healed(group), reads=reads)

    def drops(self, *pointers: str) -> None:
        """From now on, lose what `pointers` name from each PUT that is taken; none ends it.

        A pointer is like `/properties/containers/*/properties/livenessProbe`; a list element goes
        by `*`, its `name` or its position. The PUT is answered as if nothing were amiss, apart from
        what its body shows. Write-only values cannot be lost: they are not kept anyway.

        Raises:
            ValueError: one of them is no pointer.
        """
        self._service.losses = Losses.of(pointers)

    def given(
        self,
        subscription: str,
        resource_group: str,
        name: str,
        body: JsonObject,
        *,
        version: str = _VERSION,
        failure: str = "",
    ) -> None:
        """Put a settled group in place, and its resource group, without HTTP and unvalidated.

        With `failure` it is one whose provisioning failed for that reason.
        """
        with self._world() as world:
            spec = spec_of(body, version, self._service.dropped)
            if world.records.resource_group(subscription, resource_group) is None:
                location = str(spec.get("location", "westeurope"))
                world.records.save_resource_group(
                    ResourceGroup(subscription=subscription, name=resource_group, location=location)
                )
            phase = replace(begin(Kind.CREATE, self.time), span=0.0)
            group = Group(
                subscription=subscription,
                resource_group=resource_group,
                name=name,
                version=version,
                spec=spec,
                phase=phase,
                started=start_of(phase),
                deployed=start_of(phase),
                failure=failure,
            )
            world.records.save(group)

    def change(
        self,
        subscription: str,
        resource_group: str,
        name: str,
        mutate: Callable[[JsonObject], None],
    ) -> None:
        """Let `mutate` change a group's body in place, as if somebody had used the portal.

        Nothing restarts and nothing is validated; the body is `{location, tags, properties, …}`.

        Raises:
            KeyError: there is no such group.
        """
        with self._world() as world:
            group, reads = _existing(world, subscription, resource_group, name)
            body = copy.deepcopy(group.spec)
            mutate(body)
            spec = spec_of(body, group.version, self._service.dropped)
            world.records.save(replace(group, spec=spec), reads=reads)

    def place_resource(
        self,
        subscription: str,
        resource_group: str,
        kind: str,
        name: str,
        *,
        location: str = "westeurope",
    ) -> str:
        """Let a resource of another kind lie in a resource group; its id.

        Its `kind` is like `Microsoft.Network/virtualNetworks`. It shows in lists of resources only,
        but a storage account and a workspace also tell keys.
        """
        base = f"/subscriptions/{subscription}/resourceGroups/{resource_group}"
        resource = Foreign(
            id=f"{base}/providers/{kind}/{name}", name=name, type=kind, location=location
        )
        with self._world() as world:
            world.records.place(subscription, resource_group, resource)
        return resource.id

    @contextmanager
    def _world(self) -> Iterator[World]:
        with self._service.database.transaction() as connection:
            yield self._service.world(Records(connection))


def _existing(world: World, subscription: str, resource_group: str, name: str) -> tuple[Group, int]:
    found = world.records.find(GroupKey.of(subscription, resource_group, name))
    if found is None:
        raise KeyError(f"no container group '{name}' in resource group '{resource_group}'")
    return found
