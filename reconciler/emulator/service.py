"""One request in, one answer out: versions, throttling, routing, and the headers ARM adds."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.emulator import routes
from reconciler.emulator.errors import (
    EmulatorStateUnusable,
    Refusal,
    not_modelled,
    state_unusable,
)
from reconciler.emulator.facts import region_of
from reconciler.emulator.faults.effects import NOTHING, Effects, Mirages
from reconciler.emulator.faults.player import NO_FAULT, Player, Seen, Turn
from reconciler.emulator.faults.stages import Place, place_of
from reconciler.emulator.jsonval import as_text
from reconciler.emulator.losses import Losses
from reconciler.emulator.offer import Offer
from reconciler.emulator.pace import Pace
from reconciler.emulator.records import Records
from reconciler.emulator.store import Database, GroupKey
from reconciler.emulator.throttle import Throttle
from reconciler.emulator.world import Answers, Call, Reply, World, check_version, key_in

# ARM answers from where it likes; what clients see of that is a header.
_ARM_REGION = "WESTEUROPE"


@dataclass(slots=True, kw_only=True)
class Service:
    """The emulated ARM, without its HTTP."""

    database: Database
    pace: Pace
    answers: Answers
    throttle: Throttle
    page_size: int
    dropped: Counter[str] = field(default_factory=Counter)
    losses: Losses = field(default_factory=Losses)
    tombs: set[GroupKey] = field(default_factory=set)
    offer: Offer = field(default_factory=Offer)
    mirages: Mirages = field(default_factory=Mirages)
    player: Player = field(default_factory=Player)
    intercept: Callable[[Call], Reply | None] | None = None

    def turn(self, call: Call) -> Turn:
        """The faults that are to be played on a call."""
        if not self.player.faults.rules:
            return NO_FAULT
        place = place_of(call.method, call.path)
        try:
            with self.database.transaction() as connection:
                world = self.world(Records(connection))
                if place.operation:
                    place = _place_of_operation(world, place)
                key = GroupKey(_subscription(call), place.rg, place.group)
                seen = Seen(
                    call=call,
                    place=place,
                    exists=lambda: world.group(key) is not None,
                    now=world.now(),
                )
                return self.player.turn(seen)
        except EmulatorStateUnusable:
            return NO_FAULT  # what is wrong is told by the answer

    def answer(self, call: Call, effects: Effects = NOTHING) -> Reply:
        """Carry out a call in one transaction; a refusal is an answer too."""
        headers = _common_headers(self.pace.now())
        try:
            check_version(call)
            found = routes.find(call.method, call.path)
            if found is None:
                raise not_modelled(f"{call.method} {call.path}")
            handler, args = found
            call = replace(call, args=args)
            _check_subscription(call)
            with self.database.transaction() as connection:
                world = self.world(Records(connection), effects)
                reply = self._within(world, call, handler, headers)
        except Refusal as refusal:
            reply = _refused(refusal)
        except EmulatorStateUnusable as exc:
            reply = _refused(state_unusable(exc))
        return _dressed(reply, headers)

    def dressed(self, reply: Reply) -> Reply:
        """An answer of a fault, with the headers that every answer carries."""
        return _dressed(reply, _common_headers(self.pace.now()))

    def world(self, records: Records, effects: Effects = NOTHING) -> World:
        """What handlers are given in a transaction."""
        return World(
            records=records,
            pace=self.pace,
            answers=self.answers,
            page_size=self.page_size,
            dropped=self.dropped,
            losses=self.losses,
            tombs=self.tombs,
            offer=self.offer,
            mirages=self.mirages,
            effects=effects,
        )

    def _within(
        self, world: World, call: Call, handler: routes.Handler, headers: dict[str, str]
    ) -> Reply:
        """The handler's answer. A refusal is caught here, as what was counted must be kept."""
        try:
            subscription = call.args.get("subscription", "")
            headers |= self.throttle.arm(call.method, subscription, world.now())
            if call.method in ("PUT", "DELETE") and "name" in call.args:
                region = _region(world, call)
                headers |= self.throttle.provider(call.method, subscription, region, world.now())
            return handler(world, call)
        except Refusal as refusal:
            return _refused(refusal)


def _dressed(reply: Reply, headers: dict[str, str]) -> Reply:
    request_id = str(uuid.uuid4())
    if reply.region:
        request_id = f"{region_of(reply.region)}:{request_id}"
    headers.setdefault("x-ms-request-id", request_id)
    return replace(reply, headers=headers | dict(reply.headers))


def _place_of_operation(world: World, place: Place) -> Place:
    """The same place, with the group that the operation works on."""
    operation = world.records.operation(place.operation)
    if operation is None:
        return place
    return replace(place, rg=operation.group.resource_group, group=operation.group.name)


def _subscription(call: Call) -> str:
    parts = call.path.lower().split("/")
    return parts[2] if len(parts) > 2 else ""


def _refused(refusal: Refusal) -> Reply:
    return Reply(status=refusal.status, body=refusal.body, headers=refusal.headers)


def _check_subscription(call: Call) -> None:
    asked = call.args.get("subscription")
    if asked is not None and not routes.is_subscription(asked):
        raise Refusal(
            400,
            "InvalidSubscriptionId",
            f"The provided subscription identifier '{asked}' is malformed or invalid.",
        )


def _region(world: World, call: Call) -> str:
    """The region a write is counted in: where the group is, or is to be."""
    found = world.records.find(key_in(call))
    if found is not None:
        return region_of(found[0].location)
    location = call.body.get("location") if isinstance(call.body, dict) else None
    return region_of(as_text(location))


def _common_headers(now: datetime) -> dict[str, str]:
    """What every answer carries. Source: A.1."""
    return {
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "Expires": "-1",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "x-ms-correlation-request-id": str(uuid.uuid4()),
        "x-ms-routing-request-id": f"{_ARM_REGION}:{now:%Y%m%dT%H%M%SZ}:{uuid.uuid4()}",
    }
