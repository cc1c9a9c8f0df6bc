"""Files in, desired groups out: YAML with positions, the project file, schemas, findings.

Importing this package loads neither yaml nor jsonschema; the first use of a name below does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.manifest.desired import DesiredSet, load_desired
    from reconciler.manifest.project import Project, open_project
    from reconciler.manifest.schemas import schema_text

__all__ = ["DesiredSet", "Project", "load_desired", "open_project", "schema_text"]

_HOME = {
    "DesiredSet": "desired",
    "load_desired": "desired",
    "Project": "project",
    "open_project": "project",
    "schema_text": "schemas",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
