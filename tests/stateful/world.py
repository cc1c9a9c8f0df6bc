"""A repository, its Azure, and what is known of both besides what the product says."""

from __future__ import annotations

import copy
import json
import random
import shutil
import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reconciler import app
from reconciler.core.ownership import SecretKey
from reconciler.core.plan import Plan
from reconciler.core.policy import Prune
from reconciler.emulator import PLENTY, Call, Emulator, LoggedRequest, Polls, Reply
from reconciler.execute.run import Run
from reconciler.manifest import load_desired, open_project
from tests import strategies
from tests.conftest import HOME, WRITES, Repository, Time
from tests.stateful.drawing import HOMES, LENIENT, NAMES, Wire, resolved
from tests.stateful.meddling import Key, Others

# An emulator keeps its log of requests, so it is not kept for ever.
_MOST_REQUESTS = 2_000
_arenas: dict[int, Emulator] = {}


def arena(settle: int) -> Emulator:
    """A running emulator in which each transition is seen under way `settle` times."""
    found = _arenas.get(settle)
    if found is not None and len(found.requests) > _MOST_REQUESTS:
        found.stop()
        found = None
    if found is None:
        found = _arenas[settle] = Emulator(time=Polls(settle, settle), limits=PLENTY).start()
    return found


def close_arenas() -> None:
    """Stop every emulator."""
    while _arenas:
        _arenas.popitem()[1].stop()


@dataclass(kw_only=True)
class World:
    """Git and Azure of one example. Secrets are compared where there is a key."""

    repository: Repository
    others: Others
    is_strange: bool = False  # whether Azure shows properties that nobody knows
    manifests: dict[str, Wire] = field(default_factory=dict)
    policy: Wire = field(default_factory=lambda: dict(LENIENT))
    order: int = 0
    sent: dict[Key, Mapping[str, str] | None] = field(default_factory=dict)
    tagged: dict[Key, frozenset[str]] = field(default_factory=dict)  # keys the last write set
    _reference: str = field(default_factory=lambda: str(uuid.uuid4()))

    @classmethod
    def of(cls, *, settle: int, key: SecretKey | None, is_strange: bool) -> World:
        """An empty one; only the resource groups exist."""
        emulator, subscription = arena(settle), str(uuid.uuid4())
        repository = Repository(
            root=Path(tempfile.mkdtemp(prefix="stateful-")),
            emulator=emulator,
            subscription=subscription,
            clock=Time(),
            key=key,
            environ={"S1": "b25lb25l", "S2": "dHdvdHdv", "S3": "dGhyZWVl"},
        )
        for home in HOMES:
            repository.given_home(home)
        others = Others(emulator, subscription)
        made = cls(repository=repository, others=others, is_strange=is_strange)
        made.write()
        return made

    def close(self) -> None:
        """Forget it."""
        self.repository.close()
        shutil.rmtree(self.repository.root)

    def meddle(self, key: Key, meddling: tuple[str, Any]) -> None:
        """Let others do something to a group; from tags they touch nobody can tell what was ours."""
        self.others.meddle(key, meddling)
        if meddling[0] in ("owner", "state", "copy tags", "create", "delete"):
            self.tagged.pop(key, None)

    # Git

    def home(self, name: str) -> str:
        """The resource group of a manifest."""
        return str(self.manifests[name].get("reconcile", {}).get("resourceGroup", HOME))

    @property
    def wanted(self) -> dict[Key, Wire]:
        """The manifests by the group they ask for."""
        return {(self.home(name), name): one for name, one in self.manifests.items()}

    def become(self, manifests: dict[str, Wire]) -> bool:
        """Whether these manifests are valid together; if so, they stand in the repository."""
        before = self.manifests
        self.manifests = manifests
        self.write()
        if self._is_valid():
            return True
        self.manifests = before
        self.write()
        return False

    def write(self) -> None:
        """Write the project and every manifest, in an order of files, documents and keys."""
        chance = random.Random(self.order)
        for path in self.repository.root.rglob("*.y*ml"):
            path.unlink()
        self.repository.project(policy=self.policy)
        documents = [self._document(name, chance) for name in self.manifests]
        chance.shuffle(documents)
        number = 0
        while documents:
            size = chance.randint(1, 3)
            text = "\n---\n".join(json.dumps(one) for one in documents[:size])
            name = f"{chance.choice(['', 'a/', 'b/'])}{chance.randint(0, 9)}{number}.yaml"
            self.repository.file(name, text)
            documents, number = documents[size:], number + 1

    def _document(self, name: str, chance: random.Random) -> Wire:
        manifest = copy.deepcopy(self.manifests[name])
        block = manifest["reconcile"]
        # No circles, nobody missing: those are findings.
        depends = [n for n in block.get("dependsOn", []) if n < name and n in self.manifests]
        block["dependsOn"] = depends
        first = manifest["properties"]["containers"][0]["name"]
        block["ignore"] = [
            f"/properties/containers/{first}/properties{path}" for path in block.get("ignore", [])
        ]
        return shuffled(manifest, chance) if self.order else manifest

    def ignored(self, name: str) -> tuple[str, ...]:
        """The members of the first container that its manifest ignores."""
        return tuple(self.manifests[name]["reconcile"].get("ignore", ()))

    def _is_valid(self) -> bool:
        project, _ = open_project([], cwd=self.repository.root, environment=None)
        assert project is not None
        return not load_desired(project, [], environ=self.repository.environ).errors

    # Azure

    @property
    def live(self) -> dict[Key, Wire]:
        """Every group as a GET would show it."""
        return self._groups(self.repository.subscription)

    def expected(self) -> dict[Key, Wire]:
        """What Azure would show had each manifest been put into an empty resource group."""
        for (home, name), manifest in self.wanted.items():
            body = {k: v for k, v in manifest.items() if k not in ("name", "type", "reconcile")}
            body = resolved({"location": "westeurope", **body}, self.repository.environ)
            self.repository.emulator.given(self._reference, home, name, body)
        found = self._groups(self._reference)
        return {key: found[key] for key in self.wanted}

    def _groups(self, subscription: str) -> dict[Key, Wire]:
        return {
            (one["id"].split("/")[4].lower(), one["name"].lower()): one
            for one in self.repository.emulator.groups(subscription)
        }

    # What is done

    def plan(self, *, prune: bool = False, settles: bool = True, **consent: Any) -> Plan:
        """What the product would do."""
        wanted = self.repository.wanted()
        if prune:
            wanted = replace(wanted, limits=replace(wanted.limits, prune=Prune.DELETE))
        if self.is_strange:
            self.repository.intercept(self._strangely)
        try:
            return app.plan(wanted, self.repository.azure, app.Consent(**consent), settles=settles)
        finally:
            self.repository.pass_all()

    def carry_out(self, planned: Plan, fault: str = "") -> tuple[Run, Sequence[LoggedRequest]]:
        """What became of a plan, and the writes that were sent for it."""
        start = len(self.repository.requests)
        tamper = Tamper(fault)
        self.repository.intercept(self._through(tamper))
        try:
            run = self.repository.carry_out(planned)
        finally:
            self.repository.pass_all()
        return run, [r for r in self.repository.requests[start:] if r.method in WRITES]

    def _through(self, tamper: Tamper) -> Callable[[Call], Reply | None]:
        def answer(call: Call) -> Reply | None:
            found = tamper(call, self._answer)
            return found or (self._strangely(call) if self.is_strange else None)

        return answer

    def _answer(self, call: Call) -> Reply:
        return self.repository.emulator._service.answer(call)

    def _strangely(self, call: Call) -> Reply | None:
        if call.method != "GET" or "containergroups" not in call.path.lower():
            return None
        reply = self._answer(call)
        body = json.loads(reply.text) if reply.text is not None else copy.deepcopy(reply.body)
        if not isinstance(body, dict):
            return reply
        for one in body.get("value", [body]):
            if "properties" in one:
                one["properties"]["fromTheFuture"] = {"at": uuid.uuid4().hex}
                one["resilience"] = [uuid.uuid4().hex]
                for container in one["properties"].get("containers", []):
                    container["properties"]["mood"] = uuid.uuid4().hex
        return replace(reply, body=body, text=None)


class Tamper:
    """What goes wrong once, at the first write it fits."""

    def __init__(self, fault: str) -> None:
        self._fault = fault

    def __call__(self, call: Call, answer: Callable[[Call], Reply]) -> Reply | None:
        """The answer to a request that the fault is about, None to all others."""
        is_group = "/containergroups/" in call.path.lower()
        if not self._fault or call.method not in ("PUT", "DELETE", "PATCH") or not is_group:
            return None
        fault = self._fault
        if fault.startswith("drops") and call.method != "PUT":
            return None
        self._fault = ""
        if fault == "moving":
            return _refusal(409, "ContainerGroupTransitioning")
        if fault == "throttled":
            return _refusal(429, "TooManyRequests", {"Retry-After": "1"})
        if fault == "broken":
            return _refusal(503, "ServiceUnavailable")
        if fault == "lost":
            answer(call)
            return _refusal(503, "ServiceUnavailable")
        body = copy.deepcopy(call.body)
        assert isinstance(body, dict)
        if fault == "drops tags":
            body.pop("tags")
        else:
            containers: Any = body["properties"]["containers"]
            containers[0]["properties"]["image"] = "default:image"
        return answer(replace(call, body=body))


def _refusal(status: int, code: str, headers: Mapping[str, str] | None = None) -> Reply:
    error = {"error": {"code": code, "message": "not now"}}
    return Reply(status=status, body=error, headers=headers or {})


def shuffled(manifest: Wire, chance: random.Random) -> Wire:
    """The same manifest with its keys and its unordered lists in another order."""
    found: Wire = strategies._respelled(manifest, (), _NoCase(chance))
    return found


class _NoCase:
    """A source of chance that leaves letters as they are: a warning is no other manifest."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def shuffle(self, items: list[Any]) -> None:
        self._chance.shuffle(items)

    def choice(self, items: Sequence[str]) -> str:
        return items[0]


assert all(name == name.lower() for name in (*NAMES, *HOMES))
