"""The fault matrix as data: which fault is played where and how often, and what must come of it.

A cell is a fault, a stage and a mode. The stages are the calls of an apply, in their order. Not
played is what makes no sense: refusals of a definition, ends of an operation and ailing containers
but at a PUT; refusals after the effect, for who refuses has done nothing; a call that is made once
in a run, more often or by chance. `SOAK=all` asks for all cells, `SOAK_SEED` for other victims,
other chances and other moments.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.soak.shop import Shop

SHOP = Shop(creates=2, updates=2, replaces=2, tags=2, deletes=2, timeout="1m")

# How a victim ends. With the last two the whole run ends before it writes: it could not read, or
# what it read stands in the way.
SUCCEEDED, FAILED, UNHEALTHY = "succeeded", "failed", "unhealthy"
NOTHING, BLOCKED = "nothing", "blocked"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A call of an apply.

    `of` are the kinds of change that make it, `call` the emulator's word for it. `read` tells which
    of the victim's reads it is, by the place among its other requests: `view` the first, in the
    plan; `before` the last before its first write; `gone` the first after its DELETE; `back` the
    first after its PUT or PATCH; `health` the very last.
    """

    name: str
    call: str
    of: tuple[str, ...] = ()
    read: str = ""
    after_effect: bool = False

    @property
    def is_write(self) -> bool:
        """Whether it changes a group."""
        return self.call in ("put", "patch", "delete")

    @property
    def is_of_the_plan(self) -> bool:
        """Whether nothing has been written by then."""
        return self.name in ("list", "view", "provider", "usages", "capabilities")


_WRITES = (
    ("put create", "put", "create"),
    ("put update", "put", "update"),
    ("re-create", "put", "replace"),
    ("patch", "patch", "tag"),
    ("delete", "delete", "delete"),
    ("delete of replace", "delete", "replace"),
)
_PUTS = ("create", "update", "replace")
STAGES = (
    Stage(name="list", call="list"),
    Stage(name="view", call="get", of=("update", "replace"), read="view"),
    Stage(name="provider", call="provider"),
    Stage(name="usages", call="usages"),
    Stage(name="capabilities", call="capabilities"),
    Stage(
        name="get", call="get", of=("create", "update", "replace", "tag", "delete"), read="before"
    ),
    *(Stage(name=name, call=call, of=(kind,)) for name, call, kind in _WRITES),
    *(
        Stage(name=f"{name}, with effect", call=call, of=(kind,), after_effect=True)
        for name, call, kind in _WRITES
    ),
    Stage(name="poll", call="poll", of=_PUTS),
    Stage(name="gone", call="get", of=("delete", "replace"), read="gone"),
    Stage(name="read-back", call="get", of=("create", "update", "replace", "tag"), read="back"),
    Stage(name="health", call="get", of=_PUTS, read="health"),
)

# A repetition helps, or a read tells.
LOST = {
    "500": {"status": 500},
    "502": {"status": 502},
    "503": {"status": 503},
    "504": {"status": 504},
    "reset": {"kind": "reset"},
    "no-answer": {"kind": "no-answer"},
}
ANSWERS = {
    **LOST,
    "throttled": {"kind": "throttled", "retryAfter": 2},
    "expired-token": {"kind": "expired-token"},
    "forbidden": {"kind": "forbidden"},
    "slow": {"kind": "slow", "seconds": 0.05},
}
OF_WRITES = {"transitioning": {"kind": "transitioning"}}
OF_PUTS = {
    **{
        kind: {"kind": kind}
        for kind in (
            "capacity",
            "quota",
            "registry",
            "inaccessible-image",
            "network-conflict",
            "dns-label-taken",
            "not-registered",
        )
    },
    "operation fails": {"kind": "operation", "ends": "Failed"},
    "operation is canceled": {"kind": "operation", "ends": "Canceled"},
    "operation never ends": {"kind": "operation", "ends": "never"},
    "crash-loop": {"kind": "crash-loop"},
    "exits": {"kind": "exits", "code": 3},
    "image-pull": {"kind": "image-pull"},
    "probe": {"kind": "probe"},
}
# No fault of a call, but an answer that the preflight must heed; the script's figures bring it.
HEEDED = {
    "provider": ("provider not registered", {"registration": "NotRegistered"}),
    "usages": ("quota used up", {"quotas": {"ContainerGroups": {"limit": 100, "used": 99}}}),
    "capabilities": ("groups too large", {"capabilities": {"maxCpu": 0.5}}),
}
WORKLOADS = ("crash-loop", "exits", "image-pull", "probe")

# `chance`: half of all such calls, whichever groups they are about.
MODES = ("once", "twice", "always", "chance")

# Besides the matrix, all that passes at once: any call about a group may be hit, by any of it.
STORM = Stage(name="any", call="")
STORMS = 50
LAGS = ("missing-after-create", "listed-after-delete")
_CHANCE = 0.06

SEED = os.environ.get("SOAK_SEED", "")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A fault at a stage, so often."""

    stage: Stage
    fault: str
    rule: Mapping[str, Any]
    mode: str

    @property
    def name(self) -> str:
        """What the test is called, and the seed of its chances."""
        return f"{SEED}{self.stage.name}/{self.fault}/{self.mode}"

    @property
    def shop(self) -> Shop:
        """What git says, as far as it depends on the fault: how long to wait, and for what."""
        if self.fault == "probe":
            return replace(SHOP, stable_for="5s")  # the container runs, at first
        everybody_waits = self.fault == "throttled" or self.stage is STORM
        restores = self.stage.name == "re-create" and self.mode in ("once", "chance")
        return replace(SHOP, timeout="5m" if everybody_waits else SHOP.timeout, restores=restores)

    @property
    def is_restored(self) -> bool:
        """Whether what was deleted must have been created again as it was."""
        return self.shop.restores and self.mode == "once" and self.verdict == FAILED

    @property
    def least(self) -> int:
        """How often it must be played: what is survived twice was met twice."""
        repeated = (*LOST, *OF_WRITES, "throttled", "expired-token")
        is_twice = self.mode == "twice" and self.verdict == SUCCEEDED and self.fault in repeated
        return 2 if is_twice else 1

    @property
    def is_heeded(self) -> bool:
        """Whether it is an answer that the preflight must heed."""
        return self.fault == HEEDED.get(self.stage.name, ("",))[0]

    @property
    def victim(self) -> str:
        """The group that is hit; empty where the call is about none."""
        chance = random.Random(self.name)
        return f"{chance.choice(self.stage.of)}-{chance.randrange(2)}" if self.stage.of else ""

    def script(self, requests: Sequence[str]) -> dict[str, Any]:
        """For the emulator; `requests` are the methods that the victim sees when all is well."""
        if self.stage is STORM:
            return self._storm()
        when: dict[str, Any] = {"stage": self.stage.call}
        if self.is_heeded:  # the rule tells only that somebody asked
            return {
                "faults": [{"when": when, "fault": {"kind": "slow", "seconds": 0}}],
                **self.rule,
            }
        if self.fault == "page-fails":
            when = {}
        if self.victim:
            when["group"] = self.victim
        first = place_of(self.stage.read, requests) if self.stage.read else 1
        often: dict[str, Any] = {
            "once": {"nth": first},
            "twice": {"nth": [first, first + 1]},
            "always": {"after": first - 1} if first > 1 else {},
            "chance": {"nth": first},
        }[self.mode]
        fault = {**self.rule, **({"afterEffect": True} if self.stage.after_effect else {})}
        faults = [{"when": {**when, **often}, "fault": fault}]
        if self.mode == "chance":
            some = {key: value for key, value in when.items() if key != "group"}
            faults.append({"when": {**some, "probability": 0.5}, "fault": fault})
        script = {"seed": random.Random(self.name).randrange(1 << 30), "faults": faults}
        return script | ({"pageSize": 4} if self.stage.call == "list" else {})

    def _storm(self) -> dict[str, Any]:
        chance = random.Random(self.name)
        every = {"stage": ["get", "put", "patch", "delete", "poll"], "probability": _CHANCE}
        writes = {"stage": ["put", "patch", "delete"], "probability": _CHANCE}
        passing = {k: v for k, v in ANSWERS.items() if k not in ("forbidden", "no-answer")}
        lost = [rule for kind, rule in passing.items() if kind in LOST]
        faults = [{"when": every, "fault": rule} for rule in passing.values()]
        faults += [{"when": {"probability": 0.3}, "fault": kind} for kind in LAGS]
        faults += [{"when": writes, "fault": rule} for rule in OF_WRITES.values()]
        faults += [{"when": writes, "fault": {**rule, "afterEffect": True}} for rule in lost]
        chance.shuffle(faults)  # of several that are due the first is played
        return {"seed": chance.randrange(1 << 30), "faults": faults}

    @property
    def verdict(self) -> str:
        """How the victim must end; empty where chance decides."""
        if self.mode == "chance" or self.stage is STORM:
            return ""
        if self.is_heeded:
            return BLOCKED
        if self.fault in ("slow", *LAGS):
            return SUCCEEDED
        if self.fault in (*WORKLOADS, "operation never ends"):
            return UNHEALTHY  # it was taken, and is not well in time
        if self.stage.is_of_the_plan:
            return self._of_plan
        return self._of_put if self.fault in OF_PUTS else self._of_call

    @property
    def _of_plan(self) -> str:
        passes = self.mode != "always" and (self.fault in (*LOST, "throttled", "page-fails"))
        if self.fault == "forbidden":
            # What may not be checked is said; without the list, the resource group is listed.
            is_check = self.stage.name in ("provider", "usages", "capabilities")
            passes = is_check or (self.stage.name == "list" and self.mode == "once")
        return SUCCEEDED if passes else NOTHING

    @property
    def _of_call(self) -> str:
        if self.stage.after_effect:
            return SUCCEEDED
        # A replace whose delete was taken goes on to its create, whether or not it can look.
        goes_on = self.stage.name == "gone" and self.victim.startswith("replace")
        if self.fault == "forbidden" and not (goes_on and self.mode != "always"):
            return FAILED
        if self.mode != "always":
            return SUCCEEDED
        # A write that was taken, and whose operation nobody can see, is not well in time; where
        # the sign-in is over nothing is waited for.
        is_late = self.stage.name == "poll" and self.fault != "expired-token"
        return UNHEALTHY if is_late else FAILED

    @property
    def _of_put(self) -> str:
        passes = {"registry", "network-conflict"}
        if self.stage.name == "re-create":
            # The name, the label and the cores of what was just deleted become free in a while.
            passes |= {"capacity", "dns-label-taken", "operation fails"}
        return SUCCEEDED if self.fault in passes and self.mode != "always" else FAILED


def place_of(read: str, requests: Sequence[str]) -> int:
    """Which of its reads that one is, from 1: see `Stage.read`."""
    writes = [at for at, method in enumerate(requests) if method != "GET"]
    if read == "view":
        return 1
    if read == "health":
        return requests.count("GET")
    at = {"before": writes[0] - 1, "gone": writes[0], "back": writes[-1]}[read]
    return requests[: at + 1].count("GET") + (read != "before")


def cells() -> Iterator[Cell]:
    """The whole matrix."""
    for stage in STAGES:
        for fault, rule in _faults(stage).items():
            for mode in _modes(stage, fault):
                yield Cell(stage=stage, fault=fault, rule=rule, mode=mode)
    for number in range(STORMS):
        yield Cell(stage=STORM, fault="all that pass", rule={}, mode=str(number))


def _modes(stage: Stage, fault: str) -> Sequence[str]:
    """How often it can be played there: a call that is made once cannot fail twice."""
    taken = (*WORKLOADS, *LAGS, "empty-list")
    is_taken = stage.after_effect or fault in taken
    modes = ("once", "chance") if is_taken else MODES
    if fault == HEEDED.get(stage.name, ("",))[0]:
        return ("once",)
    if not stage.of:
        modes = tuple(mode for mode in modes if mode != "chance")
    if fault == "no-answer":  # each takes until the client gives up
        modes = tuple(mode for mode in modes if mode in ("once", "twice"))
    return modes


def _faults(stage: Stage) -> dict[str, Mapping[str, Any]]:
    if stage.after_effect:
        # Who refuses has done nothing.
        return dict(LOST)
    found: dict[str, Mapping[str, Any]] = dict(ANSWERS)
    if stage.name in HEEDED:
        fault, script = HEEDED[stage.name]
        found[fault] = script
    if stage.is_write:
        found |= OF_WRITES
    if stage.call == "put":
        found |= OF_PUTS
    if stage.name in ("put create", "re-create"):
        found["missing-after-create"] = {"kind": "missing-after-create"}
    if stage.call == "delete":
        found["listed-after-delete"] = {"kind": "listed-after-delete"}
    if stage.name == "list":
        found["page-fails"] = {"kind": "page-fails"}
        found["empty-list"] = {"kind": "empty-list"}
    return found


def chosen() -> list[Cell]:
    """All cells, or a seeded tenth in which each fault and each stage occurs."""
    every = list(cells())
    if os.environ.get("SOAK") == "all":
        return every
    random.Random(4).shuffle(every)
    seen: set[str] = set()
    picked: list[Cell] = []
    for cell in every:
        if {cell.fault, cell.stage.name} - seen:
            picked.append(cell)
            seen |= {cell.fault, cell.stage.name}
    rest = [cell for cell in every if cell not in picked]
    return sorted(picked + rest[: max(0, len(every) // 10 - len(picked))], key=lambda c: c.name)
