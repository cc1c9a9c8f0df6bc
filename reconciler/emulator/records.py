"""Facts in and out of the database, within one transaction."""

# ruff: noqa: S608 - statements are put together from the constants of this module alone

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TypeVar

from reconciler.emulator.facts import (
    AT_LAST,
    Foreign,
    Group,
    Moment,
    Phase,
    ResourceGroup,
    dump_group,
    dump_phase,
    load_group,
    load_phase,
    region_of,
)
from reconciler.emulator.jsonval import Json, JsonObject, as_number, as_object, as_text, dig
from reconciler.emulator.lifecycle import containers
from reconciler.emulator.pace import Kind, Unit
from reconciler.emulator.readback import fqdn, shown
from reconciler.emulator.store import GroupKey

# A group whose containers keep being restarted changes with every look; reads count so far.
_READS_OF_A_CRASH_LOOP = 20


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of a list: its text where that is final, else what is needed to make one."""

    key: GroupKey
    facts: str
    reads: int
    text: str
    version: str
    is_final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A long-running operation; its progress is that of the group it works on."""

    id: str
    group: GroupKey
    kind: Kind
    since: str
    target: str


@dataclass(frozen=True, slots=True)
class Records:
    """The rows of one database, read and written by fact."""

    connection: sqlite3.Connection

    # Container groups

    def find(self, key: GroupKey) -> tuple[Group, int] | None:
        """The group and how often it was read since its last write."""
        row = self.connection.execute(f"SELECT facts, reads FROM groups {_WHERE}", _at(key))
        found = row.fetchone()
        return (group_in(found[0]), found[1]) if found else None

    def count_read(self, key: GroupKey) -> None:
        """Somebody has looked."""
        self.connection.execute(
            f"UPDATE groups SET reads = reads + 1 {_WHERE} AND reads < counts_to", _at(key)
        )

    def save(self, group: Group, *, reads: int = 0) -> None:
        """Keep `group`, with the text that a list will show once it is settled."""
        phase = group.phase
        by_reads = phase.unit is Unit.READS
        settles = int(phase.span) if by_reads else 0
        counts_to = settles + int(phase.task) + _READS_OF_A_CRASH_LOOP if by_reads else 0
        settles_at = 0.0 if by_reads else phase.since.timestamp() + phase.span
        listed = json.dumps(shown(group, group.version, AT_LAST, views=False))
        self.connection.execute(
            "INSERT OR REPLACE INTO groups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *_at(key_of(group)),
                dump_group(group),
                region_of(group.location),
                cores(group),
                label_of(group),
                reads,
                settles,
                counts_to,
                settles_at,
                phase.kind is Kind.DELETE,
                listed,
                group.version,
            ),
        )

    def remove(self, key: GroupKey) -> None:
        """Forget a group."""
        self.connection.execute(f"DELETE FROM groups {_WHERE}", _at(key))

    def page(
        self, scope: tuple[str, str | None], after: tuple[str, str], limit: int, moment: Moment
    ) -> list[Listed]:
        """Up to `limit` groups of a subscription or resource group, in key order."""
        where, values = _scope(scope)
        rows = self.connection.execute(
            "SELECT subscription, resource_group, key, facts, reads, listed, listed_version,"
            " reads >= settles_after AND settles_at <= ? AND NOT vanishes"
            f" FROM groups {where} AND (resource_group, key) > (?, ?)"
            " ORDER BY resource_group, key LIMIT ?",
            (moment.now.timestamp(), *values, *after, limit),
        )
        return [
            Listed(GroupKey(*place), facts, reads, text, version, bool(final))
            for *place, facts, reads, text, version, final in rows
        ]

    def count_reads(self, scope: tuple[str, str | None]) -> None:
        """Somebody has looked at all groups of a subscription or resource group."""
        where, values = _scope(scope)
        self.connection.execute(
            f"UPDATE groups SET reads = reads + 1 {where} AND reads < counts_to", values
        )

    def vanishing(self, scope: tuple[str, str | None]) -> list[Group]:
        """The groups that are being deleted."""
        where, values = _scope(scope)
        rows = self.connection.execute(f"SELECT facts FROM groups {where} AND vanishes", values)
        return [group_in(row[0]) for row in rows]

    def groups(self, subscription: str | None = None) -> list[tuple[Group, int]]:
        """Every group, or every one of a subscription, in key order."""
        rows = self.connection.execute(
            "SELECT facts, reads FROM groups WHERE subscription = ifnull(?, subscription)"
            " ORDER BY subscription, resource_group, key",
            (subscription and subscription.lower(),),
        )
        return [(group_in(row[0]), row[1]) for row in rows]

    def holder_of(self, label: str, subscription: str | None) -> GroupKey | None:
        """The group that holds a host name, anywhere or within a subscription."""
        row = self.connection.execute(
            "SELECT subscription, resource_group, key FROM groups"
            " WHERE label = ? AND subscription = ifnull(?, subscription)",
            (label, subscription),
        ).fetchone()
        return GroupKey(*row) if row else None

    def usage(self, subscription: str, region: str) -> tuple[int, float]:
        """How many groups and CPU cores a region holds."""
        row = self.connection.execute(
            "SELECT count(*), ifnull(sum(cores), 0) FROM groups"
            " WHERE subscription = ? AND region = ?",
            (subscription.lower(), region),
        ).fetchone()
        return int(row[0]), float(row[1])

    # Operations

    def add_operation(self, operation: Operation) -> None:
        """Remember an operation, so that any process can be asked for it."""
        key = operation.group
        self.connection.execute(
            "INSERT INTO operations VALUES (?, ?, ?, ?, ?, ?, ?)",
            (operation.id, *_at(key), operation.kind.value, operation.since, operation.target),
        )

    def operation(self, guid: str) -> Operation | None:
        """The operation of that id."""
        row = self.connection.execute("SELECT * FROM operations WHERE id = ?", (guid,)).fetchone()
        if row is None:
            return None
        group = GroupKey(*row[1:4])
        return Operation(id=row[0], group=group, kind=Kind(row[4]), since=row[5], target=row[6])

    # Resource groups

    def resource_group(self, subscription: str, name: str) -> tuple[ResourceGroup, int] | None:
        """The resource group, and how often it was read since its deletion began."""
        row = self.connection.execute(
            "SELECT facts, reads FROM resource_groups WHERE subscription = ? AND key = ?",
            (subscription.lower(), name.lower()),
        ).fetchone()
        return (_read(_load_resource_group, row[0]), row[1]) if row else None

    def resource_groups(self, subscription: str) -> Iterator[tuple[ResourceGroup, int]]:
        """All of a subscription, by name."""
        rows = self.connection.execute(
            "SELECT facts, reads FROM resource_groups WHERE subscription = ? ORDER BY key",
            (subscription.lower(),),
        )
        return ((_read(_load_resource_group, row[0]), row[1]) for row in rows.fetchall())

    def save_resource_group(self, group: ResourceGroup, *, reads: int = 0) -> None:
        """Keep `group`."""
        facts = json.dumps(
            {
                "subscription": group.subscription,
                "name": group.name,
                "location": group.location,
                "tags": group.tags,
                "managedBy": group.managed_by,
                "going": dump_phase(group.going) if group.going else None,
            }
        )
        self.connection.execute(
            "INSERT OR REPLACE INTO resource_groups VALUES (?, ?, ?, ?)",
            (group.subscription.lower(), group.name.lower(), facts, reads),
        )

    def remove_resource_group(self, group: ResourceGroup) -> None:
        """Forget a resource group and all it holds."""
        place = (group.subscription.lower(), group.name.lower())
        for table in ("groups", "resources"):
            self.connection.execute(
                f"DELETE FROM {table} WHERE subscription = ? AND resource_group = ?", place
            )
        self.connection.execute(
            "DELETE FROM resource_groups WHERE subscription = ? AND key = ?", place
        )

    def subscriptions(self) -> list[str]:
        """The subscriptions that hold something."""
        rows = self.connection.execute(
            "SELECT DISTINCT subscription FROM resource_groups ORDER BY subscription"
        )
        return [row[0] for row in rows]

    # Resources of other kinds

    def place(self, subscription: str, resource_group: str, resource: Foreign) -> None:
        """Keep a resource of another kind in place of what was there."""
        facts = asdict(resource)
        self.connection.execute(
            "INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?)",
            (resource.id.lower(), subscription.lower(), resource_group.lower(), json.dumps(facts)),
        )

    def placed(self, scope: tuple[str, str | None]) -> list[Json]:
        """The resources of other kinds in a subscription or resource group, as listed."""
        where, values = _scope(scope)
        rows = self.connection.execute(f"SELECT facts FROM resources {where} ORDER BY id", values)
        return [_listed(_read(json.loads, row[0])) for row in rows]

    def placed_at(self, place: str) -> Foreign | None:
        """The resource of another kind with this id, in any case."""
        rows = self.connection.execute(
            "SELECT facts FROM resources WHERE id = ?", (place.lower(),)
        ).fetchall()
        return Foreign(**_read(json.loads, rows[0][0])) if rows else None

    def take_away(self, place: str) -> None:
        """Forget the resource of another kind with this id."""
        self.connection.execute("DELETE FROM resources WHERE id = ?", (place.lower(),))


def _listed(facts: JsonObject) -> JsonObject:
    return {name: fact for name, fact in facts.items() if name != "rotations"}


_WHERE = "WHERE subscription = ? AND resource_group = ? AND key = ?"


def key_of(group: Group) -> GroupKey:
    """Where `group` is kept."""
    return GroupKey.of(group.subscription, group.resource_group, group.name)


def cores(group: Group) -> float:
    """The CPU cores that all containers of a group request together."""
    amounts = (
        dig(item, "properties", "resources", "requests", "cpu") for item in containers(group)
    )
    return sum(as_number(amount) for amount in amounts)


def label_of(group: Group) -> str | None:
    """The host name a group holds, when others could ask for the same. Source: C.7."""
    address = as_object(group.properties.get("ipAddress"))
    label = as_text(address.get("dnsNameLabel"))
    scope = as_text(address.get("autoGeneratedDomainNameLabelScope"))
    return fqdn(label, scope, group) if label and scope in ("", "Unsecure") else None


_Facts = TypeVar("_Facts")


def group_in(text: str) -> Group:
    """The group whose facts `text` holds.

    Raises:
        sqlite3.DatabaseError: it holds none: somebody else wrote into the file.
    """
    return _read(load_group, text)


def _read(load: Callable[[str], _Facts], text: str) -> _Facts:
    try:
        return load(text)
    except (ValueError, LookupError, TypeError, RecursionError) as exc:
        raise sqlite3.DatabaseError("a row cannot be read") from exc


def _at(key: GroupKey) -> tuple[str, str, str]:
    return (key.subscription, key.resource_group, key.name)


def _scope(scope: tuple[str, str | None]) -> tuple[str, tuple[str, ...]]:
    subscription, resource_group = scope
    if resource_group is None:
        return "WHERE subscription = ?", (subscription.lower(),)
    where = "WHERE subscription = ? AND resource_group = ?"
    return where, (subscription.lower(), resource_group.lower())


def _load_resource_group(text: str) -> ResourceGroup:
    data = as_object(json.loads(text))
    tags = data["tags"]
    return ResourceGroup(
        subscription=as_text(data["subscription"]),
        name=as_text(data["name"]),
        location=as_text(data["location"]),
        tags=tags if isinstance(tags, dict) else None,
        managed_by=as_text(data["managedBy"]),
        going=load_phase(data["going"]) if data["going"] else None,
    )


def phase_is_over(phase: Phase, moment: Moment) -> bool:
    """Whether what `phase` began is done."""
    if phase.unit is Unit.READS:
        return moment.reads >= phase.span
    return (moment.now - phase.since).total_seconds() >= phase.span
