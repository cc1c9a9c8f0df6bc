"""What `doctor` is told and what it finds: one check a line, each with its state and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from reconciler.core.jsonval import Json, JsonObject
from reconciler.errors import AzureError


class State(Enum):
    """How a check ended; `SKIPPED` has not been looked at, and says why."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "not checked"


class Purpose(Enum):
    """What the identity is to do: a pull request only plans."""

    PLAN = "plan"
    APPLY = "apply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at. `fix` is what to do, a command where there is one."""

    name: str
    state: State
    says: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who asks, as its token says; what the token does not tell is empty.

    `credential` is the kind that gave the token, empty where none is needed. `principal` is the
    object id, which role assignments name.
    """

    credential: str
    name: str = ""
    principal: str = ""
    tenant: str = ""
    is_person: bool = False
    expires: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """ARM's answer about the subscription: what it says, or why not, and what its headers tell."""

    body: JsonObject = field(default_factory=dict)
    error: AzureError | None = None
    date: datetime | None = None
    reads_left: int | None = None


class Inspector(Protocol):
    """What only `doctor` asks of Azure; any method may raise `AzureError`."""

    def identity(self) -> Identity:
        """Who asks; gets a token where one is needed."""

    def subscription(self, subscription: str) -> Answered:
        """The subscription, whatever the answer; raises only where there was none."""

    def provider(self, subscription: str) -> JsonObject:
        """The resource provider of container groups: its registration, versions and regions."""

    def permissions(self, scope: str) -> Sequence[Json]:
        """What the roles of the identity allow at a scope, a row a role assignment."""


def skipped(name: str, why: str) -> Check:
    """A check that was not made."""
    return Check(name=name, state=State.SKIPPED, says=why)


def from_error(name: str, error: AzureError, *, state: State = State.FAILED) -> Check:
    """A check that an error of Azure answers."""
    bare = str(error).removesuffix(f"; {error.hint}") if error.hint else str(error)
    return Check(name=name, state=state, says=bare, fix=error.hint)
