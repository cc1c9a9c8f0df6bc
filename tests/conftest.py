"""What every end-to-end test brings together: an emulator, a repository of manifests, a clock.

One emulator a session; a subscription of its own for each test keeps tests apart without resets.
"""

from __future__ import annotations

import copy
import io
import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, chdir
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from jsonschema import Draft202012Validator

from reconciler import app
from reconciler.arm.connect import connect
from reconciler.cli.main import main
from reconciler.core.cloud import Cloud
from reconciler.core.ids import GroupId
from reconciler.core.outcome import Outcome
from reconciler.core.ownership import SecretKey
from reconciler.core.plan import Action, Plan
from reconciler.core.policy import Prune
from reconciler.emulator import PLENTY, Call, Emulator, LoggedRequest, Polls, Reply
from reconciler.execute.pacing import Pacer
from reconciler.execute.run import Run
from reconciler.execute.wait import Pace
from reconciler.manifest import load_desired, open_project

CHECKOUT = Path(__file__).resolve().parent.parent
WRITES = ("PUT", "PATCH", "DELETE", "POST")
HOME = "rg-shop"


class Time:
    """A clock that only sleeping moves; `on_sleep` hears of it, such as an emulator's own clock."""

    def __init__(self, on_sleep: Callable[[float], None] = lambda _seconds: None) -> None:
        self.slept: list[float] = []
        self._now = datetime(2025, 1, 1, 12, tzinfo=UTC)
        self._on_sleep = on_sleep
        self._due: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The time so far."""
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass, at once."""
        with self._lock:
            self.slept.append(seconds)
            self._now += timedelta(seconds=seconds)
            due, self._due = self._due, []
        for happen in due:
            happen()
        self._on_sleep(seconds)

    def before_sleep(self, happen: Callable[[], object]) -> None:
        """Let something happen once, during the next sleep."""
        with self._lock:
            self._due.append(happen)


def group(
    name: str = "web",
    *,
    image: str = "nginx:1.27",
    cpu: float = 1,
    policy: str = "Always",
    command: Sequence[str] = (),
    env: Sequence[Mapping[str, Any]] = (),
    tags: Mapping[str, str] | None = None,
    reconcile: Mapping[str, Any] | None = None,
    **properties: Any,
) -> dict[str, Any]:
    """A manifest of one container, called as its group is."""
    container: dict[str, Any] = {
        "image": image,
        "resources": {"requests": {"cpu": cpu, "memoryInGB": 1.5}},
    }
    container |= {"command": list(command)} if command else {}
    container |= {"environmentVariables": [dict(one) for one in env]} if env else {}
    manifest: dict[str, Any] = {
        "name": name,
        "properties": {
            "osType": "Linux",
            "restartPolicy": policy,
            "containers": [{"name": name, "properties": container}],
            **properties,
        },
    }
    manifest |= {"tags": dict(tags)} if tags is not None else {}
    return manifest | ({"reconcile": dict(reconcile)} if reconcile else {})


def task(name: str = "job", *, script: str = "echo done", **options: Any) -> dict[str, Any]:
    """A manifest of a container that runs once and ends."""
    return group(name, policy="Never", command=("/bin/sh", "-c", script), **options)


def home(name: str = HOME, location: str = "westeurope") -> dict[str, Any]:
    """A manifest of a resource group."""
    return {"type": "Microsoft.Resources/resourceGroups", "name": name, "location": location}


@dataclass(frozen=True, kw_only=True)
class Done:
    """A process that has ended."""

    code: int
    out: str
    err: str


@dataclass(kw_only=True, repr=False)
class Repository:
    """A GitOps repository in a folder of its own, whose Azure is the emulator.

    `plan`, `apply` and `status` run in this process, over HTTP, by a clock that never waits; `run`
    starts the command.
    """

    root: Path
    emulator: Emulator
    subscription: str
    owner: str = "shop"
    clock: Time = field(default_factory=Time)
    workers: int = 8
    pace: Pace = field(default_factory=Pace)
    key: SecretKey | None = None
    environ: dict[str, str] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)
    landed: list[Outcome] = field(default_factory=list)
    held: list[tuple[str, datetime]] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)
    _cloud: Cloud | None = None
    _pacer: Pacer | None = None

    # What git says

    def project(self, **changes: Any) -> None:
        """Write the project file; a member named in `changes` stands in the place of the usual."""
        usual: dict[str, Any] = {
            "owner": self.owner,
            "defaults": {
                "subscription": self.subscription,
                "resourceGroup": HOME,
                "location": "westeurope",
            },
        }
        self.file("aci-reconcile.yaml", {**usual, **changes})

    def file(self, name: str, content: Any) -> Path:
        """Write one file; what is no text is written as JSON, which is YAML."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content, indent=1)
        path.write_text(text, encoding="utf-8")
        return path

    def write(self, *manifests: Mapping[str, Any]) -> None:
        """Write each manifest into a file named after it."""
        for manifest in manifests:
            self.file(f"{manifest['name']}.yaml", manifest)

    def forget(self, *names: str) -> None:
        """Remove manifests."""
        for name in names:
            (self.root / f"{name}.yaml").unlink()

    # What Azure holds

    def given(
        self,
        manifest: Mapping[str, Any],
        *,
        tags: Mapping[str, str] | None = None,
        into: str = HOME,
        **options: Any,
    ) -> None:
        """Let a group lie in Azure as `manifest` describes it, without any tag of ours."""
        body = {
            "location": "westeurope",
            "tags": dict(tags if tags is not None else manifest.get("tags", {})),
            "properties": copy.deepcopy(manifest["properties"]),
        }
        self.emulator.given(self.subscription, into, manifest["name"], body, **options)

    def given_home(self, name: str = HOME, *, tags: Mapping[str, str] | None = None) -> None:
        """Let a resource group exist."""
        body = {"location": "westeurope", "tags": dict(tags or {})}
        self._http("PUT", f"/resourceGroups/{name}?api-version=2021-04-01", body)

    def start(self, name: str) -> None:
        """Begin a transition: whoever reads the group next sees it."""
        self._post(name, "restart")

    def stop(self, name: str) -> None:
        """Stop a group behind our back."""
        self._post(name, "stop")

    def delete(self, name: str) -> None:
        """Delete a group over HTTP, as somebody else would."""
        self._http("DELETE", f"{_path_of(name)}?api-version=2023-05-01", None)

    def _post(self, name: str, verb: str) -> None:
        self._http("POST", f"{_path_of(name)}/{verb}?api-version=2023-05-01", None)

    def change(
        self, name: str, mutate: Callable[[dict[str, Any]], Any], *, into: str = HOME
    ) -> None:
        """Change a group behind our back."""
        self.emulator.change(self.subscription, into, name, mutate)

    def set_image(self, name: str, image: str, *, into: str = HOME) -> None:
        """Change a group's image behind our back."""
        self.change(name, lambda body: _container(body).update(image=image), into=into)

    def put(self, name: str, body: Mapping[str, Any], *, into: str = HOME) -> None:
        """Write a whole group over HTTP, as somebody else would."""
        self._http("PUT", f"{_path_of(name, into)}?api-version=2023-05-01", dict(body))

    def live(self, name: str) -> dict[str, Any] | None:
        """A group as a GET would show it, None where there is none."""
        groups = self.emulator.groups(self.subscription)
        return next((g for g in groups if g["name"] == name), None)

    def tags(self, name: str) -> dict[str, str]:
        """The tags of a group that exists."""
        live = self.live(name)
        assert live is not None, f"there is no group {name}"
        return dict(live.get("tags") or {})

    @property
    def names(self) -> list[str]:
        """The groups that exist."""
        return sorted(g["name"] for g in self.emulator.groups(self.subscription))

    # What was asked of Azure

    @property
    def requests(self) -> list[LoggedRequest]:
        """Every request into this subscription."""
        return [r for r in self.emulator.requests if self.subscription in r.path]

    @property
    def writes(self) -> list[str]:
        """Every write, such as `PUT web`, in order."""
        return [
            f"{r.method} {r.path.rpartition('/')[2]}" for r in self.requests if r.method in WRITES
        ]

    def counting(self, method: str, name: str) -> int:
        """How many requests asked for exactly this group or list."""
        return sum(r.method == method and r.path.endswith(f"/{name}") for r in self.requests)

    def intercept(self, answer: Callable[[Call], Reply | None]) -> None:
        """Let `answer` see each request into this subscription first."""
        mine = self.subscription
        self.emulator.intercept = lambda call: answer(call) if mine in call.path else None

    def pass_all(self) -> None:
        """Let every request pass again."""
        self.emulator.intercept = None

    # In this process

    @property
    def azure(self) -> app.Azure:
        """The way to the emulator."""
        if self._cloud is None:
            self._pacer = Pacer(clock=self.clock)
            self._cloud = self._stack.enter_context(
                connect(
                    cloud="AzureCloud",
                    endpoint=self.emulator.url,
                    parallelism=16,
                    environ={},
                    gate=self._pacer,
                )
            )
        return app.Azure(
            cloud=self._cloud,
            clock=self.clock,
            workers=self.workers,
            pace=self.pace,
            key=self.key,
            pacer=self._pacer,
        )

    def wanted(
        self, *paths: str, environment: str | None = None, prune: bool = False
    ) -> app.Wanted:
        """What the manifests ask for."""
        project, findings = open_project([], cwd=self.root, environment=environment)
        assert project is not None, [str(one) for one in findings]
        desired = load_desired(project, [self.root / p for p in paths], environ=self.environ)
        assert not desired.errors, [str(one) for one in desired.errors]
        limits = project.limits
        if prune:
            limits = _replaced(limits, prune=Prune.DELETE)
        return app.Wanted(
            owner=project.owner,
            subscription=project.subscription,
            groups=desired.groups,
            resource_groups=desired.resource_groups,
            limits=limits,
            is_complete=desired.is_complete,
            known_resource_groups=project.known_resource_groups,
        )

    def plan(
        self,
        *paths: str,
        environment: str | None = None,
        prune: bool = False,
        **consent: Any,
    ) -> Plan:
        """What would be done."""
        wanted = self.wanted(*paths, environment=environment, prune=prune)
        return app.plan(wanted, self.azure, app.Consent(**consent))

    def carry_out(self, planned: Plan) -> Run:
        """Do it."""
        return app.apply(
            planned,
            self.azure,
            commit="",
            watcher=self.watcher,
        )

    @property
    def watcher(self) -> Heard:
        """Who hears how an apply goes: `told` and `landed`."""
        return Heard(self)

    def apply(self, *paths: str, **options: Any) -> Run:
        """Plan and do it."""
        return self.carry_out(self.plan(*paths, **options))

    def status(self) -> dict[str, str]:
        """How each group stands against git."""
        return {row.target.name: row.sync for row in app.status(self.wanted(), self.azure)[0]}

    def id(self, name: str, *, into: str = HOME) -> GroupId:
        """The group of that name."""
        return GroupId(subscription=self.subscription, resource_group=into, name=name)

    # As a process

    def run(self, *arguments: str, **options: Any) -> Done:
        """Run the command in this repository, against the emulator where it asks Azure."""
        where = () if arguments[0] in OFFLINE else ("--endpoint", self.emulator.url)
        return command(*arguments, *where, cwd=self.root, environ=self.environ, **options)

    def here(self, *arguments: str) -> Done:
        """Like `run`, without a process of its own."""
        where = () if arguments[0] in OFFLINE else ("--endpoint", self.emulator.url)
        return typed(*arguments, *where, cwd=self.root, environ=self.environ)

    def _tell(self, action: Action, text: str) -> None:
        self.told.append((str(action.target), text))

    def _http(self, method: str, path: str, body: Any) -> None:
        import requests

        url = f"{self.emulator.url}/subscriptions/{self.subscription}{path}"
        requests.request(method, url, json=body, timeout=10).raise_for_status()

    def close(self) -> None:
        """Close the connection; let every request pass."""
        self.pass_all()
        self._stack.close()


def _path_of(name: str, home: str = HOME) -> str:
    return f"/resourceGroups/{home}/providers/Microsoft.ContainerInstance/containerGroups/{name}"


@pytest.fixture(autouse=True)
def repeated_reads_cost_no_time() -> Iterator[None]:
    """In this process the SDK's pauses before it reads again are none; its clock is no clock."""
    with mock.patch("azure.core.pipeline.transport.RequestsTransport.sleep"):
        yield


@dataclass(frozen=True)
class Heard:
    """A `core.events.Watcher` that keeps what it hears."""

    repository: Repository

    def began(self, action: Action) -> None:
        """Nothing: the first step says more."""

    def step(self, action: Action, text: str, *, operation: str = "") -> None:
        """Keep the step."""
        self.repository._tell(action, text)

    def held(self, text: str, until: datetime) -> None:
        """Keep what was waited for."""
        self.repository.held.append((text, until))

    def landed(self, outcome: Outcome) -> None:
        """Keep the outcome."""
        self.repository.landed.append(outcome)

    def interrupted(self, running: int) -> None:
        """Nothing."""


OFFLINE = (
    "validate", "schema", "--help", "--version", "emulator", "demo", "show", "report", "render", "diff",
    "convert", "fmt",
)  # fmt: skip


def _replaced(value: Any, **changes: Any) -> Any:
    from dataclasses import replace

    return replace(value, **changes)


def _container(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body["properties"]["containers"][0]["properties"]
    return found


def environment_of(**more: str) -> dict[str, str]:
    """A process's environment without anything of this machine's Azure, terminal or CI."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONPATH": str(CHECKOUT), "HOME": "/nonexistent", **more}


def command(
    *arguments: str, cwd: Path, environ: Mapping[str, str] | None = None, timeout: float = 60
) -> Done:
    """Run `python -m reconciler` to its end, without a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=cwd,
        env=environment_of(**(environ or {})),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(code=done.returncode, out=done.stdout, err=done.stderr)


def typed(*arguments: str, cwd: Path, environ: Mapping[str, str] | None = None) -> Done:
    """The command run in this process, for tests that run it many times: a tenth of the cost."""
    out, err = io.StringIO(), io.StringIO()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    surroundings = mock.patch.dict(os.environ, environment_of(**(environ or {})), clear=True)
    streams = mock.patch.multiple(sys, stdin=io.StringIO(), stdout=out, stderr=err)
    try:
        with chdir(cwd), surroundings, streams:
            code = main(list(arguments))
    except SystemExit as exc:  # as argparse leaves
        code = int(str(exc.code))
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert "Traceback" not in err.getvalue(), err.getvalue()
    return Done(code=code, out=out.getvalue(), err=err.getvalue())


@cache
def _validator(schema: str) -> Draft202012Validator:
    text = (CHECKOUT / "schemas" / f"{schema}.schema.json").read_text("utf-8")
    return Draft202012Validator(json.loads(text))


def conforms(document: Any, schema: str = "report") -> None:
    """Fail unless `document` keeps to one of our schemas, which is compiled once."""
    _validator(schema).validate(document)


def kinds(planned: Plan) -> dict[str, str]:
    """What a plan does, by name."""
    return {action.target.name: action.kind.value for action in planned.actions}


def ended(run: Run) -> dict[str, str]:
    """How actions ended, by name."""
    return {outcome.action.target.name: outcome.status.value for outcome in run.outcomes}


def outcome_of(run: Run, name: str) -> Outcome:
    """The outcome for one name."""
    return next(one for one in run.outcomes if one.action.target.name == name)


def refusal(status: int, code: str, message: str = "no") -> Reply:
    """An error as ARM words it."""
    return Reply(status=status, body={"error": {"code": code, "message": message}})


# What a test counted is part of what it proves; `make test` shows it whether or not a test fails.
COUNTED = "counted"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests counted. Properties of a report travel from a worker of xdist, too."""
    lines = [
        str(text)
        for some in terminalreporter.stats.values()
        for report in some
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, text in report.user_properties
        if name == COUNTED
    ]
    if lines:
        terminalreporter.section("counted")
        for line in sorted(lines):
            terminalreporter.write_line(line)


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Show a line of counts at the end of the run."""
    return lambda line: record_property(COUNTED, line)


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """One for all tests that ask for nothing special: everything settles at once."""
    with Emulator(time=Polls(0, 0), limits=PLENTY) as running:
        yield running


@pytest.fixture
def subscription() -> str:
    """Nobody else's."""
    return str(uuid.uuid4())


@pytest.fixture
def make_repository(tmp_path: Path, subscription: str) -> Iterator[Callable[..., Repository]]:
    """Makes repositories, each with a project file, for an emulator that is handed in."""
    made: list[Repository] = []

    def make(emulator: Emulator, **options: Any) -> Repository:
        root = options.pop("root", tmp_path / f"repository-{len(made)}")
        options.setdefault("subscription", subscription)
        made.append(Repository(root=root, emulator=emulator, **options))
        made[-1].project()
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def repository(emulator: Emulator, make_repository: Callable[..., Repository]) -> Repository:
    """A repository with a project file and no manifests yet."""
    return make_repository(emulator)
