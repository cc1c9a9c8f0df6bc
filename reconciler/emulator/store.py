"""The emulator's memory: one SQLite database, in memory or in a file.

What is stored: resource groups, container groups and operations as facts. Write-only values
(passwords, keys, secure environment values, secret volumes) are never stored; plain environment
values and tags are, so the file is readable by its owner alone.

One transaction a request. Several processes may use one file one after the other or at once.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.emulator.errors import EmulatorStateUnusable

# Marks a database as ours: "ACIE" in ASCII.
_APPLICATION = 0x41434945
_LAYOUT = 1
_PATIENCE_S = 30.0

_TABLES = """
CREATE TABLE resource_groups (
    subscription TEXT, key TEXT, facts TEXT NOT NULL, reads INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (subscription, key)) WITHOUT ROWID;
CREATE TABLE groups (
    subscription TEXT, resource_group TEXT, key TEXT, facts TEXT NOT NULL,
    region TEXT NOT NULL, cores REAL NOT NULL, label TEXT,
    reads INTEGER NOT NULL, settles_after INTEGER NOT NULL, counts_to INTEGER NOT NULL,
    settles_at REAL NOT NULL, vanishes INTEGER NOT NULL,
    listed TEXT NOT NULL, listed_version TEXT NOT NULL,
    PRIMARY KEY (subscription, resource_group, key)) WITHOUT ROWID;
CREATE INDEX labels ON groups (label) WHERE label IS NOT NULL;
CREATE TABLE operations (
    id TEXT PRIMARY KEY, subscription TEXT, resource_group TEXT, key TEXT,
    kind TEXT NOT NULL, since TEXT NOT NULL, target TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE resources (
    id TEXT PRIMARY KEY, subscription TEXT, resource_group TEXT, facts TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class GroupKey:
    """Where a container group is found, in lower case: Azure's names are case-insensitive."""

    subscription: str
    resource_group: str
    name: str

    @staticmethod
    def of(subscription: str, resource_group: str, name: str) -> GroupKey:
        """The key of a group named in any case."""
        return GroupKey(subscription.lower(), resource_group.lower(), name.lower())


class Database:
    """A connection, its lock and its transactions; which tables hold what is `records`' matter."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.RLock()
        self._path = path
        self._connection = _connect(path)
        try:
            self._prepare()
        except sqlite3.Error as exc:
            self._connection.close()
            raise _failed(path, exc) from exc
        except EmulatorStateUnusable:
            self._connection.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and alone: other threads and processes wait for their turn.

        Raises:
            EmulatorStateUnusable: the file was damaged, or stayed locked for half a minute.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
            except sqlite3.DatabaseError as exc:
                raise _failed(self._path, exc) from exc

    def _prepare(self) -> None:
        if self._path is not None:
            _write_ahead(self._connection)
        self._connection.execute("BEGIN IMMEDIATE")
        application = self._connection.execute("PRAGMA application_id").fetchone()[0]
        layout = self._connection.execute("PRAGMA user_version").fetchone()[0]
        tables = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application != _APPLICATION and tables:
            raise _unusable(self._path, "it is a database of another program", _OTHER)
        if application == _APPLICATION and layout != _LAYOUT:
            says = f"its layout is version {layout}, expected {_LAYOUT}"
            raise _unusable(self._path, says, _FRESH)
        if tables and self._path is not None:
            _check_pages(self._connection)
        if not tables:
            for statement in _TABLES.split(";"):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._connection.execute(f"PRAGMA user_version = {_LAYOUT}")
        self._connection.execute("COMMIT")


def _connect(path: Path | None) -> sqlite3.Connection:
    try:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Created here, so that it is never open to others, not even for a moment.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        return sqlite3.connect(
            ":memory:" if path is None else path,
            timeout=_PATIENCE_S,
            isolation_level=None,
            check_same_thread=False,
        )
    except OSError as exc:
        raise _unusable(path, (exc.strerror or str(exc)).lower(), _OTHER) from exc
    except sqlite3.Error as exc:
        raise _failed(path, exc) from exc


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; the switch itself does not wait for its turn, so we do."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            if "locked" not in str(exc) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            connection.execute("PRAGMA synchronous = NORMAL")
            return


def _check_pages(connection: sqlite3.Connection) -> None:
    """Walk every page: a damaged one would otherwise be met in the middle of a request.

    Raises:
        sqlite3.DatabaseError: one is damaged.
    """
    found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if found != "ok":
        raise sqlite3.DatabaseError(found.splitlines()[-1])


_FRESH = "delete the file to start empty, or name another one"
# What is not ours, or no file at all, is nobody's to delete on our word.
_OTHER = "name another file"
_LATER = "try again, or name another file"


def _failed(path: Path | None, exc: sqlite3.Error) -> EmulatorStateUnusable:
    """What SQLite said: an operational error is about the way to the file, others its bytes."""
    if isinstance(exc, sqlite3.OperationalError):
        return _unusable(path, str(exc), _LATER)
    return _unusable(path, f"it is damaged: {exc}", _FRESH)


def _unusable(path: Path | None, why: str, advice: str) -> EmulatorStateUnusable:
    return EmulatorStateUnusable(f"emulator state '{path or 'in memory'}': {why}; {advice}")
