"""Opening the way to Azure: the real one, another endpoint, or the emulator in this process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.app import Azure
from reconciler.cli.options import Options
from reconciler.core.ownership import SecretKey
from reconciler.errors import UsageError
from reconciler.execute.clock import SystemClock
from reconciler.execute.pacing import Pacer
from reconciler.execute.wait import Pace

if TYPE_CHECKING:
    from reconciler.core.place import Place
    from reconciler.manifest import Project

EMULATOR_DB = Path(".aci-reconcile/emulator.db")
EMULATOR_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
_LOCAL = Pace(
    scale=0.02, patience=timedelta(seconds=6)
)  # an emulator is asked as often as it likes
_SHORTEST_KEY = 16
_KEY = "ACI_RECONCILE_SECRET_KEY"


@contextmanager
def azure(options: Options, *, cloud: str) -> Iterator[Azure]:
    """Azure for as long as the block lasts.

    Raises:
        AuthenticationFailed, UsageError, LocalStateUnusable: it cannot be opened; nothing was sent.
    """
    from reconciler.arm.connect import connect
    from reconciler.registry.client import OciRegistries

    clock = SystemClock()
    pacer = Pacer(clock=clock, tell=_held)
    with ExitStack() as stack:
        endpoint = stack.enter_context(_emulator(options)) if options.emulator else options.endpoint
        connected = stack.enter_context(
            connect(
                cloud=cloud,
                endpoint=endpoint,
                parallelism=options.parallelism,
                environ=os.environ,
                gate=pacer,
            )
        )
        registries = OciRegistries(clock, connections=options.parallelism)
        stack.callback(registries.close)
        yield Azure(
            cloud=connected,
            clock=clock,
            workers=options.parallelism,
            pace=_LOCAL if _is_local(endpoint) else Pace(),
            key=secret_key(),
            vaults=connected.vaults,
            registries=registries,
            inspector=connected.inspector,
            pacer=pacer,
        )


@contextmanager
def _emulator(options: Options) -> Iterator[str]:
    from reconciler.cli.local import emulator

    with emulator(options.emulator_db or EMULATOR_DB, faults=options.faults) as url:
        yield url


def _held(text: str, until: datetime) -> None:
    """Say what a request is waiting for; while an apply writes, its progress says that."""
    from reconciler.cli.progress import clock_time

    with suppress(OSError, ValueError):
        print(f"{text}, until {clock_time(until)}", file=sys.stderr, flush=True)


def _is_local(endpoint: str | None) -> bool:
    # A server on this machine is nobody's quota: look at its operations more often.
    return endpoint is not None and endpoint.lower().startswith("http:")


def secret_key() -> SecretKey | None:
    """The key of the environment, which wins over the project's; None where there is none.

    Raises:
        UsageError: it is too short to keep a secret.
    """
    text = os.environ.get(_KEY, "")
    return checked_key(text, named_by=_KEY) if text else None


def checked_key(text: str, *, named_by: str) -> SecretKey:
    """The key that `text` is.

    Raises:
        UsageError: it is too short to keep a secret.
    """
    if len(text) < _SHORTEST_KEY:
        raise UsageError(
            f"{named_by}: expected at least {_SHORTEST_KEY} characters, got {len(text)}",
            hint="make one with 'openssl rand -base64 32'",
        )
    return SecretKey(text.encode("utf-8", "surrogateescape"))


def subscription(options: Options, project: Project) -> str:
    """The subscription to work in; no default is ever taken from another tool.

    Raises:
        UsageError: nothing names one.
    """
    if options.emulator:
        return project.subscription or EMULATOR_SUBSCRIPTION
    if found := project.subscription or _of_credential(options):
        return found
    where = project.file or "aci-reconcile.yaml"
    raise UsageError("no subscription", hint=f"write 'defaults: {{subscription: …}}' in {where}")


def place(options: Options, project: Project) -> Place | None:
    """What the project and the credential say of where a run works; None on the emulator."""
    if options.emulator:
        return None  # it stands in for any subscription of any tenant
    from reconciler.core.place import Place

    return Place(
        subscription=subscription(options, project),
        tenant=project.tenant,
        credential=_of_credential(options),
        where=project.where,
    )


def _of_credential(options: Options) -> str:
    """The subscription that the credential file is for; empty where there is none."""
    if _is_local(options.endpoint):
        return ""
    from reconciler.arm.credentials import subscription_in_file

    return subscription_in_file(os.environ) or ""
