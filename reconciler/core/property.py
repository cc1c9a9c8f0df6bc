"""One row of the property table, and the words it is written in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from reconciler.core.jsonval import Json, Path


class Access(Enum):
    """Who writes a property, and whether it comes back."""

    READ_WRITE = "read-write"
    READ_ONLY = "read-only"  # dropped on both sides
    WRITE_ONLY = "write-only"  # never comes back: compared by keyed digest or not at all
    ASSIGNED = "assigned"  # the service chooses what a manifest leaves out: then not compared
    UNCONFIRMED = "unconfirmed"  # read-back never recorded: compared where both sides state it


class Effect(IntEnum):
    """What a change costs; the costliest change of a group decides its action."""

    TAGS = 1
    UPDATE = 2
    REPLACE = 3


class Fold(Enum):
    """What is no difference between two values."""

    EXACT = "exact"
    CASE = "case"  # letter case and blanks, for enumerations
    REGION = "region"  # "West Europe" is "westeurope"
    RESOURCE_ID = "resource id"  # ARM compares ids without case
    WORDS = "words"  # a blank-separated set


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One row. In `path`, `*` is one list element or one key of a map."""

    path: Path
    access: Access = Access.READ_WRITE
    effect: Effect = Effect.UPDATE
    default: Json = None  # filled in on both sides where the parent exists
    fold: Fold = Fold.EXACT
    values: tuple[str, ...] = ()  # the enumeration in Azure's spelling
    key: tuple[str, ...] = ()  # a list whose elements are named by these members
    ordered: bool = False  # a keyed list whose order matters
    bare: bool = False  # an object that says something by merely being there
    only_with: str = ""  # dropped by Azure unless this sibling is present
    instead: tuple[str, ...] = ()  # siblings that stand in the place of a write-only value
    private: bool = False  # free text that people put secrets into: no snapshot holds it plainly
    source: str = ""


# How a change is known to go, with the evidence.
UPDATE_DOC = "D.1 [D]: supported by an update in place, every container restarts"
REPLACE_DOC = "D.1, D.2 [D][I]: cannot change in place, InvalidContainerGroupUpdate"
REPLACE_INF = "D.2 [INF]: documentation silent, Terraform replaces; treated as immutable"
UPDATE_INF = "D.2 [INF]: documentation silent, a change in place is expected to work"
READ = "C.2 #2 [R]: server value"
WRITE = "C.2 [R]: dropped by the service on every read"


def row(path: str, **facts: object) -> Property:
    """A row for `path`, its parts parted by `/`."""
    return Property(path=tuple(path.split("/")), **facts)  # type: ignore[arg-type]  # names checked by the dataclass
