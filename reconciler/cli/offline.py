"""The commands that ask no Azure. What is heavy is imported where it is needed."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from reconciler.cli.console import Console
from reconciler.cli.loading import opened
from reconciler.cli.options import Options
from reconciler.core.finding import Finding
from reconciler.errors import ExitCode, UsageError


def validate(options: Options) -> ExitCode:
    """Every finding of every file, for each environment when none is named."""
    from reconciler.cli.linting import levels_of
    from reconciler.core.finding import in_order
    from reconciler.manifest import load_desired, open_project
    from reconciler.report.rows import findings_report

    levels = levels_of(options)
    Console(options).check_outputs()
    project, found = opened(options)
    findings: list[Finding] = list(found)
    names = (
        [options.environment] if options.environment or not project else list(project.environments)
    )
    needed: set[Finding] = set()
    files = documents = 0
    for name in names or [None]:
        one, more = open_project(options.paths, cwd=Path.cwd(), environment=name)
        findings += more
        if one is None:
            continue
        loaded = load_desired(
            one,
            options.paths,
            environ=os.environ,
            secrets_dirs=options.secrets_dirs,
            levels=levels,
        )
        findings += in_order([*loaded.findings, *loaded.advice])
        needed.update(loaded.needed)
        files, documents = loaded.files, loaded.documents
    # A comment that one environment needs is needed.
    unique = tuple(found for found in dict.fromkeys(findings) if found not in needed)
    code = ExitCode.INVALID if any(finding.is_error for finding in unique) else ExitCode.DONE
    Console(options).report(
        findings_report(
            unique,
            files=files,
            documents=documents,
            exit_code=code,
            owner=project.owner if project else "",
            environment=options.environment,
        )
    )
    return code


def show(options: Options) -> ExitCode:
    """Show a plan document in other words."""
    from reconciler.cli.plans import check_digest_of, read_report

    console = Console(options)
    console.check_outputs()
    path = options.paths[0]
    shown = read_report(path)
    check_digest_of(path, shown)
    console.report(shown)
    return ExitCode.DONE


def schema(options: Options) -> ExitCode:
    """Print a JSON Schema."""
    from reconciler.manifest import schema_text

    sys.stdout.write(schema_text(options.schema))
    return ExitCode.DONE


def explain(options: Options) -> ExitCode:
    """Print what the property table knows of a path, or what a rule asks for."""
    from reconciler.cli.linting import is_rule, rule_in_words
    from reconciler.core.explain import explain as look_up
    from reconciler.core.explain import nearest
    from reconciler.manifest.describe import description

    if is_rule(options.property):
        print(rule_in_words(options.property))
        return ExitCode.DONE
    found = look_up(options.property)
    if found is None:
        close = ", ".join(nearest(options.property))
        hint = (
            f"did you mean {close}?"
            if close
            else "write a path as in reconcile.ignore, or a rule's id"
        )
        raise UsageError(f"no property '{options.property}'", hint=hint)
    print("/".join(found.path))
    for label, text in (("what", description(found.path)), *found.facts):
        if text:
            print(f"  {label:<9} {text}")
    return ExitCode.DONE


def emulator(options: Options) -> ExitCode:
    """Serve the emulator until Ctrl-C."""
    import threading

    from reconciler.cli.local import emulator as serving

    with serving(
        options.database,
        host=options.host,
        port=options.port,
        drops=options.drops,
        faults=options.faults,
    ) as url:
        print(f"emulator: {url}", flush=True)
        kept = f"state in {options.database}" if options.database else "state in memory"
        here = url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
        Console(options).say(f"{kept}; use it with --endpoint {here}; Ctrl-C stops it")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
    return ExitCode.DONE


def demo(_options: Options) -> ExitCode:
    """Run the whole job on the embedded emulator."""
    from reconciler.cli.demo import demo as show

    return show()
