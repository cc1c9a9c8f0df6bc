"""`convert`: what people have, as manifests."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.files import why_not, write_file
from reconciler.cli.options import Options
from reconciler.errors import ExitCode, LocalStateUnusable, NotConvertible, UsageError

if TYPE_CHECKING:
    from reconciler.convert.carry import Carried
    from reconciler.convert.found import Reading
    from reconciler.manifest.document import Document

_LARGEST = 16_000_000  # bytes


def convert(options: Options) -> ExitCode:
    """Print the manifests of a file, and on stderr what could not be carried into them."""
    from reconciler.convert.carry import carried
    from reconciler.convert.reading import documents_in
    from reconciler.report.lines import safe

    console = Console(options)
    file = options.paths[0]
    documents = documents_in(_shown(file), _read(file))
    readings = [_reading(document, options) for document in documents]
    found = [carried(group) for reading in readings for group in reading.groups]
    if not found:
        _check_some(documents, readings)
    _write(found, options, console)
    notes = [note for reading in readings for note in reading.notes]
    notes += [note for one in found for note in one.notes]
    for note in notes:
        console.say(safe(f"note: {note}"))
    gaps = [gap for reading in readings for gap in reading.gaps]
    gaps += [gap for one in found for gap in one.gaps]
    for gap in gaps:
        console.say(safe(f"not carried: {gap}"))
    console.say(_sum(len(found), len(gaps)))
    return ExitCode.CHANGES if gaps else ExitCode.DONE


def _sum(groups: int, gaps: int) -> str:
    manifests = f"{groups} manifest{'' if groups == 1 else 's'}"
    if not gaps:
        return f"{manifests}; all was carried"
    return f"{manifests}; {gaps} thing{'' if gaps == 1 else 's'} to look after, listed above"


def _check_some(documents: Sequence[Document], readings: Sequence[Reading]) -> None:
    """Raise where nothing was found, with why."""
    where = documents[0].at(()) if documents else "the file"
    details = [str(gap) for reading in readings for gap in reading.gaps]
    details += [note for reading in readings for note in reading.notes]
    error = NotConvertible(f"{where}: expected a container group, got none")
    error.details = tuple(details)
    raise error


def _reading(document: Document, options: Options) -> Reading:
    from reconciler.convert.reading import parameters_in, reading_of, typed
    from reconciler.convert.scope import Place
    from reconciler.manifest.recognise import Form, form_of

    given: dict[str, object] = {}
    for path in options.parameters:
        given |= parameters_in(_shown(path), _read(path))
    for name, text in options.values:
        given[name] = typed(document.data, name, text)
    if given and form_of(document.data) is not Form.TEMPLATE:
        raise UsageError(
            f"{document.file}: parameters are for an ARM template, and this is none",
            hint="leave out -p and --parameters",
        )
    place = Place(
        subscription=options.subscription or "",
        resource_group=options.resource_group or "",
        location=options.location or "",
    )
    return reading_of(document, given, place)


def _read(path: Path) -> bytes:
    """The bytes of a file, or of stdin for `-`.

    Raises:
        NotConvertible: it cannot be read, or is too large.
    """
    try:
        if str(path) == "-":
            raw = sys.stdin.buffer.read(_LARGEST + 1)
        else:
            with path.open("rb") as stream:
                raw = stream.read(_LARGEST + 1)
    except (OSError, ValueError) as exc:
        raise NotConvertible(f"{path}: cannot be read: {why_not(exc)}") from exc
    if len(raw) > _LARGEST:
        raise NotConvertible(f"{path}: expected at most {_LARGEST // 10**6} MB, got more")
    return raw


def _shown(path: Path) -> str:
    return "stdin" if str(path) == "-" else str(path)


def _write(found: Sequence[Carried], options: Options, console: Console) -> None:
    texts = [one.text for one in found]
    if options.folder is None:
        sys.stdout.write("".join(f"---\n{text}" for text in texts) if len(texts) > 1 else texts[0])
        sys.stdout.flush()
        return
    folder = options.folder
    paths = [folder / name for name in _file_names(found)]
    for path in paths:
        if path.exists() or path.is_symlink():
            raise LocalStateUnusable(
                f"{path}: is there already, and is not written over; nothing was written",
                hint="give -d another folder, or move the file away",
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise LocalStateUnusable(f"{folder}: cannot be made: {why_not(exc)}") from exc
    for path, text in zip(paths, texts, strict=True):
        write_file(path, text, hint="give -d another folder")
        console.say(f"wrote {path}")


def _file_names(found: Iterable[Carried]) -> list[str]:
    """A file name for each group, from its name; a number follows where two are alike."""
    taken: set[str] = set()
    names = []
    for one in found:
        base = re.sub(r"[^A-Za-z0-9._-]+", "-", one.name).strip("-.")[:100] or "group"
        name, number = base, 2
        while name.lower() in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name.lower())
        names.append(f"{name}.yaml")
    return names
