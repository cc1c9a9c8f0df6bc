"""`fmt`: the files in the one style, or which of them are not."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.files import write_file
from reconciler.cli.options import Options
from reconciler.core.finding import Finding
from reconciler.errors import ExitCode, LocalStateUnusable, UsageError
from reconciler.report.lines import safe

if TYPE_CHECKING:
    from reconciler.manifest.formatting.choosing import Chosen

_STDIN = Path("-")
_HINT = "see that it may be written"


def fmt(options: Options) -> ExitCode:
    """Format files in place; `-` stands for stdin, whose text goes to stdout."""
    if _STDIN in options.paths:
        if len(options.paths) > 1:
            raise UsageError("expected '-' alone, got other paths too", hint="format them apart")
        return _filter(options)
    from reconciler.manifest.formatting.choosing import chosen

    cwd = Path.cwd()
    files, findings = chosen(options.paths, cwd)
    run = _Run(options, cwd)
    for found in findings:
        run.refuse(found)
    for file in files:
        run.take(file)
    return run.conclude()


@dataclass(slots=True)
class _Run:
    """The files of one command, one after the other."""

    options: Options
    cwd: Path
    changed: int = 0
    same: int = 0
    invalid: int = 0
    failed: int = 0
    console: Console = field(init=False)

    def __post_init__(self) -> None:
        self.console = Console(self.options)

    def take(self, file: Chosen) -> None:
        """Format one file; what is wrong with it costs no other."""
        from reconciler.manifest.files import read, shown
        from reconciler.manifest.formatting import FormatRefused, formatted

        name = shown(file.path, self.cwd)
        raw = read(file.path, self.cwd)
        if isinstance(raw, Finding):
            self.refuse(raw)
            return
        try:
            made = raw if _is_none_of_ours(file, raw) else formatted(name, raw)
            if not isinstance(made, bytes):
                for found in made:
                    self.refuse(found)
            elif made != raw:
                self.change(file.path, name, raw, made)
            else:
                self.same += 1
        except (FormatRefused, LocalStateUnusable) as exc:
            self.failed += 1
            self.console.say(f"aci-reconcile: error: {safe(str(exc))}")

    def change(self, path: Path, name: str, raw: bytes, made: bytes) -> None:
        """Write one file that is formatted otherwise, or say what would be written."""
        if self.options.diff:
            sys.stdout.writelines(_diff(name, raw, made))
        elif not self.options.check:
            write_file(path, made.decode(), hint=_HINT)
        if not self.options.diff:
            print(name)
        self.changed += 1

    def refuse(self, found: Finding) -> None:
        """Say why a file stays as it is."""
        self.invalid += 1
        self.console.say(safe(str(found)))

    def conclude(self) -> ExitCode:
        """Say how it went; the exit code."""
        only_looks = self.options.check or self.options.diff
        verb = "would be formatted" if only_looks else "formatted"
        files = "file" if self.changed == 1 else "files"
        self.console.say(f"{self.changed} {files} {verb}, {self.same} left as they are")
        if self.failed:
            return ExitCode.FAILED
        if self.invalid:
            return ExitCode.INVALID
        return ExitCode.CHANGES if self.options.check and self.changed else ExitCode.DONE


def _is_none_of_ours(file: Chosen, raw: bytes) -> bool:
    """Whether a file is left alone: its project does not name it, or nothing says what it is."""
    from reconciler.manifest.formatting import is_ours
    from reconciler.manifest.source import parse

    if file.is_certain or file.is_foreign:
        return file.is_foreign
    return not parse(file.path.name, raw)[1] and not is_ours(raw)


def _diff(name: str, raw: bytes, made: bytes) -> Iterator[str]:
    """The change as a unified diff, without the secrets that are written down in the file."""
    from reconciler.manifest.formatting.masking import masked

    before, after = masked(name, raw), masked(name, made)
    lines = list(
        difflib.unified_diff(before.split("\n"), after.split("\n"), name, name, lineterm="")
    )
    yield from (f"{safe(line)}\n" for line in lines)
    if not lines:
        yield f"{safe(name)}: only line ends, a byte order mark or what is hidden would change\n"


def _filter(options: Options) -> ExitCode:
    from reconciler.manifest.formatting import formatted

    raw = sys.stdin.buffer.read()
    made = formatted("<stdin>", raw)
    if not isinstance(made, bytes):
        for found in made:
            Console(options).say(safe(str(found)))
        return ExitCode.INVALID
    if options.diff:
        sys.stdout.writelines(_diff("<stdin>", raw, made) if made != raw else ())
    elif options.check:
        sys.stdout.write("<stdin>\n" if made != raw else "")
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(made)
        sys.stdout.buffer.flush()
    return ExitCode.CHANGES if options.check and made != raw else ExitCode.DONE
