"""The shape of a report: what every output format is a function of.

Texts (names, reasons, errors, logs) are held as they came: each format makes them harmless in its
own way. Values are held as `core.mask` shows or discloses them, never as they were read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from reconciler.core.binding import AsOf, Binding
from reconciler.core.category import Category
from reconciler.core.diff import ChangeKind, Origin
from reconciler.core.drift import Untold
from reconciler.core.evidence import Seen
from reconciler.core.finding import Finding, Position
from reconciler.core.ids import Target
from reconciler.core.jsonval import Json
from reconciler.core.mask import Shown
from reconciler.core.outcome import Status, TaskLog, Trouble
from reconciler.core.plan import ActionKind, Rail
from reconciler.core.properties import Effect
from reconciler.errors import ExitCode


class ReportKind(Enum):
    """What a report is about; the `kind` of its document."""

    PLAN = "Plan"
    RESULT = "Result"
    VALIDATION = "Validation"
    STATUS = "Status"
    FAILURE = "Failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRow:
    """One field that differs. `old` and `new` are None where it is absent, or sensitive.

    `is_partly_hidden` says that `(hidden)` stands for some members of `old` or `new`. `among` are
    the secrets of which one or more changed.
    """

    pointer: str
    kind: ChangeKind
    effect: Effect
    origin: Origin
    before: Shown
    after: Shown
    is_sensitive: bool = False
    is_partly_hidden: bool = False
    among: tuple[str, ...] = ()
    old: Json = None
    new: Json = None
    patch: Position | None = None  # where a patch of the environment says so
    where: Position | None = None  # the line that asks for it, or the nearest around it

    def __post_init__(self) -> None:
        """Refuse to hold what no format may print.

        Raises:
            ValueError: a sensitive field was given a value.
        """
        if self.is_sensitive and not (self.old is None and self.new is None):
            raise ValueError(f"the field {self.pointer} is sensitive and has no values")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRow:
    """One action. `containers` are what a whole body holds: name and image.

    `restarts` counts the running containers that an update in place restarts.
    """

    target: Target
    kind: ActionKind
    why: str
    origin: Origin = Origin.UNKNOWN
    costs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    allow: str = ""
    after: tuple[str, ...] = ()
    fields: tuple[FieldRow, ...] = ()
    containers: tuple[tuple[str, Shown], ...] = ()
    restarts: int = 0
    is_moving: bool = False  # in transition: not compared
    blocks: bool = False  # a refusal that stops the whole plan
    trouble: str = ""  # nothing is done, yet the group is not well
    file: str = ""  # the manifest that asks for it, "" where none does
    line: int = 1  # in it, both counted from 1
    column: int = 1
    desired: str = ""  # fingerprints, see `core.binding.PlannedEffect`
    live: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """What became of one action; its members are those of `core.outcome.Outcome`."""

    action: ActionRow
    status: Status
    says: str
    hint: str
    code: str
    request_id: str
    wrote: bool
    took: timedelta
    logs: tuple[TaskLog, ...]
    is_stranded: bool = False
    is_restored: bool = False
    operation: str = ""
    health: str = ""
    started: datetime | None = None
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanRow:
    """A group of ours that no manifest names and that is left alone."""

    target: Target
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """What happened to a group or to one of its containers, whose name is empty for the group.

    The times are None where Azure's text is none.
    """

    container: str
    name: str
    message: str
    is_warning: bool
    count: int
    last: datetime | None
    first: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerRow:
    """One container as `status` sees it; `state` is empty where Azure shows none yet."""

    name: str
    image: str
    is_init: bool = False
    state: str = ""
    detail: str = ""
    restarts: int = 0
    exit_code: int | None = None
    started: datetime | None = None
    finished: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLine:
    """One group as `status` sees it; `restarts` is None where nobody looked.

    `ownership` is one of `core.ownership.Ownership` in a word, `owner` the tag as it is. `seen` is
    when it was looked at: what ages count from.
    """

    target: Target
    sync: str
    provisioning: str = ""
    state: str = ""
    restarts: int | None = None
    address: str = ""
    note: str = ""
    ownership: str = ""
    owner: str = ""
    containers: tuple[ContainerRow, ...] = ()
    events: tuple[EventRow, ...] = ()
    seen: datetime | None = None

    @property
    def ready(self) -> str:
        """How many of its containers run, such as `1/2`; empty where there is nothing to see."""
        apps = [one for one in self.containers if not one.is_init]
        running = sum(one.state == "Running" for one in apps)
        return f"{running}/{len(apps)}" if apps else ""

    @property
    def started(self) -> datetime | None:
        """When a container of it started last."""
        return max((one.started for one in self.containers if one.started), default=None)

    @property
    def images(self) -> tuple[str, ...]:
        """The images of its containers, each once."""
        return tuple(dict.fromkeys(one.image for one in self.containers if not one.is_init))


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRow:
    """One finding of `drift`; `counts` says that it makes the command end with 2.

    The members are otherwise those of `core.drift.DriftFinding`.
    """

    target: Target
    category: Category
    says: str
    key: str
    is_certain: bool = True
    counts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftView:
    """What `drift` found. `untold` are what it could not look at, with the categories left open.

    `seen` and `told` are for the run after: the groups as they are, and the keys of the findings
    that counted when somebody was told of them last. `event` is what is new since the run before.
    """

    rows: tuple[DriftRow, ...] = ()
    fail_on: tuple[Category, ...] = ()
    untold: tuple[Untold, ...] = ()
    seen: tuple[Seen, ...] = ()
    told: tuple[str, ...] = ()
    event: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a command ended before it had anything to report; free of secrets."""

    says: str
    hint: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything there is to say; which parts are filled depends on `kind`.

    `under_way` are the URLs of operations that go on in Azure, by the address they work on. `reach`
    are the options that lead another command to the same Azure and the same secrets.
    """

    kind: ReportKind
    command: str
    exit_code: ExitCode
    environment: str | None = None
    owner: str = ""
    subscription: str = ""
    digest: str = ""
    binding: Binding | None = None  # of a plan that can be applied as it is
    is_complete: bool = True
    is_interrupted: bool = False
    actions: tuple[ActionRow, ...] = ()
    outcomes: tuple[OutcomeRow, ...] = ()
    under_way: Mapping[str, str] = field(default_factory=dict)
    reach: tuple[str, ...] = ()
    orphans: tuple[OrphanRow, ...] = ()
    rails: tuple[Rail, ...] = ()
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    lines: tuple[StatusLine, ...] = ()
    files: int = 0
    documents: int = 0
    drift: DriftView | None = None
    failure: Failure | None = None  # of the kind that is named after it
    as_of: AsOf | None = None  # the snapshot that a plan was made against
