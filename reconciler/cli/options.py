"""What the command line says, parsed once; no command sees the namespace."""

from __future__ import annotations

import os
import re
from argparse import ArgumentTypeError, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from reconciler.core.category import Category
from reconciler.core.rollout import Rollout, parse_rollout
from reconciler.errors import UsageError

FORMATS = (
    "text", "json", "ndjson", "markdown", "html", "junit", "sarif", "prometheus", "github"
)  # fmt: skip
_SUFFIXES = {
    "json": "json", "ndjson": "ndjson", "markdown": "md", "html": "html", "junit": "xml",
    "sarif": "sarif", "prometheus": "prom",
}  # fmt: skip
_PLACE = "{environment}"
# What may follow itself on stdout.
_STREAMED = ("text", "markdown", "ndjson", "github", "yaml")
# The commands with events to tell.
_CARRY_OUT = ("apply", "destroy", "adopt", "start", "stop", "restart")
SHELLS = ("bash", "zsh", "fish")
WAITS = ("provisioned", "running", "started", "succeeded")
_DURATION = re.compile(r"(?:([0-9]{1,4})h)?(?:([0-9]{1,5})m)?(?:([0-9]{1,6})s)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One `-o FORMAT[=PATH]`; without a path it goes to stdout."""

    format: str
    path: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Every option a command may have; those it has not keep their default."""

    command: str = ""
    paths: tuple[Path, ...] = ()
    environment: str | None = None
    environments: tuple[str, ...] = ()  # as given; a command runs for one of them
    compared: tuple[str, ...] = ()  # two environments
    outputs: tuple[Output, ...] = ()
    told: set[Output] = field(default_factory=set, repr=False, compare=False)  # those written
    secrets_dirs: tuple[Path, ...] = ()
    verbose: bool = False
    emulator: bool = False
    emulator_db: Path | None = None
    endpoint: str | None = None
    parallelism: int = 16
    detailed_exitcode: bool = False
    fail_on: tuple[Category, ...] | None = None
    since: Path | None = None
    live: Path | None = None  # a snapshot
    resolve_digests: bool = False
    file: Path | None = None
    webhook: str | None = field(default=None, repr=False)
    yes: bool = False
    prune: bool = False
    adopt: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    retry: tuple[str, ...] = ()
    rerun: tuple[str, ...] = ()
    rebaseline_secrets: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    expect_digest: str | None = None
    accept_subset: bool = False
    allow: Mapping[str, int] | None = None
    wait: str | None = None
    wait_timeout: timedelta | None = None
    rollout: Rollout | None = None
    resource_groups: bool = False
    confirm: str | None = None
    name: str = ""
    names: tuple[str, ...] = ()
    folder: Path | None = None
    in_resource_groups: tuple[str, ...] = ()
    owner: str | None = None
    subscription: str | None = None
    update: bool = False
    from_owner: str | None = None
    foreign: tuple[str, ...] = ()
    no_wait: bool = False
    container: str | None = None
    tail: int | None = None
    back: timedelta | None = None  # logs of the time just past
    follow: bool = False
    watch: bool = False
    others: bool = False
    interval: timedelta = timedelta(seconds=5)
    until: str | None = None
    timeout: timedelta | None = None
    timestamps: bool = False
    schema: str = "manifest"
    property: str = ""
    warn: tuple[str, ...] = ()  # ids of rules
    error: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8080
    database: Path | None = None
    drops: tuple[str, ...] = ()
    faults: Path | None = None
    parameters: tuple[Path, ...] = ()
    values: tuple[tuple[str, str], ...] = ()  # of parameters, by name
    resource_group: str | None = None
    location: str | None = None
    check: bool = False
    diff: bool = False
    purpose: str = "apply"
    ci: str | None = None
    shell: str = ""


def is_watching(options: Options) -> bool:
    """Whether a command looks again and again."""
    return options.watch or options.until is not None


def each_environment(options: Options) -> tuple[Options, ...]:
    """The options of one run for each environment that was named, in that order.

    Raises:
        UsageError: one is named twice, or several would write to one place.
    """
    names = options.environments
    if not names:
        return (options,)
    for name in names:
        if not name or {*name} & {"/", "\\", "\0"}:
            raise UsageError(f"-e: expected the name of an environment, got '{name}'")
    if len({*names}) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"-e {twice} is given twice", hint="give it once")
    if len(names) > 1:
        for output in options.outputs:
            _check_apart(output, len(names))
    return tuple(
        replace(
            options,
            environment=name,
            told=set(),
            outputs=tuple(_for_environment(output, name) for output in options.outputs),
            since=_path_for(options.since, name),
        )
        for name in names
    )


def _check_apart(output: Output, number: int) -> None:
    if output.path is None and output.format in _STREAMED:
        return
    if output.path is None or _PLACE not in output.path.name:
        place = "stdout" if output.path is None else f"'{output.path}'"
        raise UsageError(
            f"-o {output.format}: {number} environments would write to {place}",
            hint=f"give each a file: -o {output.format}=report-{_PLACE}"
            f".{_SUFFIXES.get(output.format, 'txt')}",
        )


def _for_environment(output: Output, name: str) -> Output:
    return replace(output, path=_path_for(output.path, name))


def _path_for(path: Path | None, name: str) -> Path | None:
    return path and path.with_name(path.name.replace(_PLACE, name))


def reach_of(options: Options) -> tuple[str, ...]:
    """The words that lead another command to the same Azure and the same secrets."""
    words = ["--emulator"] if options.emulator else []
    words += ["--emulator-db", str(options.emulator_db)] if options.emulator_db else []
    words += ["--endpoint", options.endpoint] if options.endpoint else []
    for folder in options.secrets_dirs:
        words += ["--secrets-dir", str(folder)]
    return tuple(words)


def options_of(namespace: Namespace) -> Options:
    """The options in a parsed command line.

    Raises:
        UsageError: two outputs want stdout, or one kind of consent is given twice.
    """
    given = {name: value for name, value in vars(namespace).items() if name in _NAMES}
    for name in (
        "paths",
        "outputs",
        "environments",
        "compared",
        "secrets_dirs",
        "select",
        "exclude",
        "drops",
        "parameters",
        "values",
        "names",
        "in_resource_groups",
        "foreign",
        "warn",
        "error",
        *_ASKED,
    ):
        if name in given:
            given[name] = tuple(given[name] or ())
    if "allow" in given:
        given["allow"] = _counted(given["allow"] or ())
    options = Options(**given)
    excluded = {name.lower() for name in options.exclude}
    for asked in _ASKED:
        if both := excluded & {name.lower() for name in getattr(options, asked)}:
            flag = f"--{asked.replace('_', '-')}"
            raise UsageError(
                f"--exclude and {flag} both name '{min(both)}'", hint="drop one of them"
            )
    # The command 'emulator' has no --emulator to go with, and needs none.
    if not given.get("emulator", True):
        _check_no_emulator(options)
    _check_outputs(options)
    if options.live is not None:
        _check_asks_nobody(options)
    return options


def _check_asks_nobody(options: Options) -> None:
    if options.emulator or options.endpoint:
        raise UsageError("--live asks no Azure", hint="drop --emulator and --endpoint")
    if options.resolve_digests:
        raise UsageError("--live asks no registry", hint="drop --resolve-digests")


# What is asked for a group by its name; none of it can be had for one that is left out.
_ASKED = ("adopt", "replace", "retry", "rerun", "rebaseline_secrets")
_NAMES = frozenset(Options.__slots__)


def _check_outputs(options: Options) -> None:
    outputs = options.outputs
    if sum(output.path is None for output in outputs) > 1:
        raise UsageError(
            "more than one -o writes to stdout", hint="give all but one a path: -o json=FILE"
        )
    streams = [output for output in outputs if output.format == "ndjson"]
    if streams and options.command not in _CARRY_OUT and not is_watching(options):
        raise UsageError(
            f"-o ndjson: expected a command that carries out a plan, got '{options.command}'",
            hint="use -o json; the events are those of apply, destroy, start, stop and restart",
        )
    taken: set[str] = set()
    for path in (output.path for output in outputs if output.path is not None):
        real = os.path.realpath(path)
        if real in taken:
            raise UsageError(f"two -o write to {path}", hint="give each a file of its own")
        if path.is_file() or not path.exists():  # a device or pipe takes what comes
            taken.add(real)
    for output in outputs:
        _check_no_input(output, options)


def _check_no_input(output: Output, options: Options) -> None:
    """Refuse to write over what is read: no report is YAML."""
    path = output.path
    if path is None:
        return
    inputs = (options.faults, options.emulator_db, options.live, *options.paths)
    others = {os.path.realpath(one) for one in inputs if one}
    if path.suffix.lower() in (".yaml", ".yml") or os.path.realpath(path) in others:
        raise UsageError(
            f"-o {output.format}: expected a file for the report, got '{path}', which may hold"
            " a manifest or another input",
            hint=f"give it another name, such as report.{_SUFFIXES.get(output.format, 'txt')}",
        )


def _check_no_emulator(options: Options) -> None:
    for flag, value in (("--emulator-db", options.emulator_db), ("--faults", options.faults)):
        if value is not None:
            raise UsageError(f"{flag} goes with --emulator", hint="add --emulator")


def _counted(pairs: Sequence[tuple[str, int]]) -> dict[str, int]:
    result: dict[str, int] = {}
    for kind, count in pairs:
        if kind in result:
            raise UsageError(f"--allow {kind}=… is given twice", hint="give it once")
        result[kind] = count
    return result


def output(text: str) -> Output:
    """`FORMAT[=PATH]`, for argparse."""
    name, separator, path = text.partition("=")
    if name not in FORMATS:
        raise ArgumentTypeError(f"expected one of {', '.join(FORMATS)}, got '{name}'")
    if separator and not path:
        raise ArgumentTypeError(f"expected a path after '{name}=', got nothing")
    if path == "-":
        raise ArgumentTypeError(f"expected a path after '{name}=', got '-': -o {name} is stdout")
    return Output(format=name, path=Path(path) if path else None)


def given_path(text: str) -> Path:
    """A path, not the empty text of an unset variable, which would be `.`, for argparse."""
    return Path(given_text(text))


def one_path(text: str) -> list[Path]:
    """A path that stands alone where a command may take several, for argparse."""
    return [given_path(text)]


def text_or_json(text: str) -> Output:
    """`text` or `json`, with a path or without, for argparse."""
    found = output(text)
    if found.format not in ("text", "json"):
        raise ArgumentTypeError(f"expected text or json, got '{found.format}'")
    return found


def yaml_or_json(text: str) -> Output:
    """`yaml`, `json` or `json=PATH`, for argparse: a file of YAML could be taken for a manifest."""
    if text == "yaml":
        return Output(format="yaml", path=None)
    if text.startswith("yaml="):
        raise ArgumentTypeError(f"expected 'yaml' alone, got '{text}': redirect stdout instead")
    if text.partition("=")[0] != "json":
        raise ArgumentTypeError(f"expected yaml or json, got '{text}'")
    return output(text)


def duration(text: str) -> timedelta:
    """A time such as `90s`, `10m` or `1h30m`, for argparse."""
    found = _DURATION.fullmatch(text)
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    time = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if not time:
        raise ArgumentTypeError(f"expected a time such as 90s, 10m or 1h30m, got '{text}'")
    return time


def categories(text: str) -> tuple[Category, ...]:
    """`CATEGORY,…` or `none`, for argparse."""
    known = {category.value: category for category in Category}
    names = [] if text == "none" else [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            raise ArgumentTypeError(f"expected some of {', '.join(known)}, or none, got '{name}'")
    return tuple(known[name] for name in names)


def rules(text: str) -> tuple[str, ...]:
    """`ID,…`, for argparse."""
    names = tuple(name.strip().upper() for name in text.split(",") if name.strip())
    if not names:
        raise ArgumentTypeError(f"expected the ids of rules, such as M801,M802, got '{text}'")
    return names


def rollout(text: str) -> Rollout:
    """The steps of a rollout, for argparse."""
    try:
        return parse_rollout(text)
    except ValueError as exc:
        raise ArgumentTypeError(str(exc)) from exc


def folder(text: str) -> Path:
    """A folder that exists, for argparse."""
    path = Path(text)
    try:
        if text and path.is_dir():
            return path
    except (OSError, ValueError):
        pass  # nothing that could be looked into
    raise ArgumentTypeError(f"expected a folder that exists, got '{text}'")


def consent(text: str) -> tuple[str, int]:
    """`KIND=N`, for argparse."""
    kind, _, number = text.partition("=")
    kinds = ("delete", "replace", "restart", "move")
    if kind not in kinds or not number.isdecimal() or int(number) < 1:
        raise ArgumentTypeError(
            f"expected {', '.join(k + '=N' for k in kinds)} with N from 1, got '{text}'"
        )
    return kind, int(number)


def named_value(text: str) -> tuple[str, str]:
    """`NAME=VALUE`, for argparse."""
    name, separator, value = text.partition("=")
    if not name or not separator:
        raise ArgumentTypeError("expected NAME=VALUE, got other text")
    return name, value


def positive(text: str) -> int:
    """A whole number from 1 on, for argparse."""
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise ArgumentTypeError(f"expected a whole number from 1 to 1000, got '{text}'")
    return int(text)


def digest(text: str) -> str:
    """The digest of a plan, for argparse."""
    if not re.fullmatch("sha256:[0-9a-f]{64}", text):
        raise ArgumentTypeError(
            f"expected sha256: and 64 hexadecimal digits, as plan -v shows, got '{text}'"
        )
    return text


def given_text(text: str) -> str:
    """A text that is not empty, as an unset variable would make it, for argparse."""
    if not text:
        raise ArgumentTypeError("expected a value, got an empty text")
    return text


def subscription_id(text: str) -> str:
    """The id of a subscription, for argparse."""
    if not re.fullmatch("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        raise ArgumentTypeError(
            f"expected the id of a subscription, 8-4-4-4-12 hexadecimal digits, got '{text}'"
        )
    return text


def owner_name(text: str) -> str:
    """The owner of a project, for argparse."""
    if not re.fullmatch("[A-Za-z0-9._-]{1,60}", text):
        raise ArgumentTypeError(f"expected 1 to 60 letters, digits, '-', '_' or '.', got '{text}'")
    return text


def pointer(text: str) -> str:
    """A pointer into the body of a group, for argparse."""
    if not text.startswith("/") or text == "/":
        raise ArgumentTypeError(f"expected a pointer such as /properties/volumes, got '{text}'")
    return text


def count(text: str) -> int:
    """A whole number from 1 on, without an upper bound, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"expected a whole number from 1 on, got '{text}'")
    return int(text)


def port(text: str) -> int:
    """A TCP port, 0 for any free one, for argparse."""
    if not text.isdecimal() or int(text) > 65535:
        raise ArgumentTypeError(f"expected a port from 0 to 65535, got '{text}'")
    return int(text)
