"""One tree of exceptions and the exit codes they lead to.

Findings in manifests are values (`core.finding`), refused actions are part of a plan (`core.plan`);
an exception stands only for what ends a command, or one action, early.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit status tells; the README holds the same table for people."""

    DONE = 0
    FAILED = 1
    CHANGES = 2
    INVALID = 3
    BLOCKED = 4
    STALE = 5
    PARTIAL = 6
    UNHEALTHY = 7
    USAGE = 64
    INTERRUPTED = 130


class ReconcilerError(Exception):
    """The root. `hint` says what to do; both texts are free of secrets."""

    exit_code: ExitCode = ExitCode.FAILED
    details: tuple[str, ...] = ()  # printed below it, a line each

    def __init__(self, says: str, *, hint: str = "") -> None:
        super().__init__(says)
        self.says = says
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.says}; {self.hint}" if self.hint else self.says


class UsageError(ReconcilerError):
    """The command line asks for something that cannot be meant."""

    exit_code = ExitCode.USAGE


class PlanRefused(ReconcilerError):
    """A rail, a refusal or the preflight stops the run before anything is touched.

    `details` has a line for each obstacle that the plan itself does not show.
    """

    exit_code = ExitCode.BLOCKED

    def __init__(self, says: str, *, hint: str = "", details: tuple[str, ...] = ()) -> None:
        super().__init__(says, hint=hint)
        self.details = details


class PlanDiffers(ReconcilerError):
    """What would be done now is not what was reviewed; `details` has a line for each difference."""

    exit_code = ExitCode.STALE

    def __init__(self, says: str, *, hint: str = "", details: tuple[str, ...] = ()) -> None:
        super().__init__(says, hint=hint)
        self.details = details


class SecretUnresolved(PlanRefused):
    """Secrets that a write needs cannot be had; nothing was written."""


class LocalStateUnusable(ReconcilerError):
    """A file of ours on this machine (emulator database, output path) cannot be used."""


class NotConvertible(ReconcilerError):
    """A file holds nothing that can be made into manifests."""

    exit_code = ExitCode.INVALID


class RegistryError(ReconcilerError):
    """A registry of images, or the way to it, said no; no credential is in the text."""


class AzureError(ReconcilerError):
    """Azure, or the way to it, said no. `verb` and `target` name what was tried."""

    def __init__(
        self,
        says: str,
        *,
        hint: str = "",
        verb: str = "",
        target: str = "",
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(says, hint=hint)
        self.verb = verb
        self.target = target
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        lead = " ".join(part for part in (self.verb, self.target) if part)
        facts = [f"HTTP {self.status}"] if self.status else []
        facts += [self.code] if self.code else []
        facts += [f"request id {self.request_id}"] if self.request_id else []
        text = f"{lead}: {self.says}" if lead else self.says
        text += f" ({', '.join(facts)})" if facts else ""
        return f"{text}; {self.hint}" if self.hint else text


class AuthenticationFailed(AzureError):
    """No credential, or one that Azure does not take."""


class Forbidden(AzureError):
    """The identity is known and lacks the permission (HTTP 403)."""


class NotFound(AzureError):
    """What was asked for does not exist (HTTP 404)."""


class Conflict(AzureError):
    """HTTP 409, most often `ContainerGroupTransitioning`."""


class Throttled(AzureError):
    """HTTP 429; `retry_after_s` says when to come back."""


class Unavailable(AzureError):
    """Not reached, timed out or HTTP 5xx: whether a write took effect is not known."""


class Unreachable(Unavailable):
    """No connection: nothing was sent, so nothing took effect."""


class Rejected(AzureError):
    """Azure understood and refused (other HTTP 4xx); nothing changed."""


class ProvisioningFailed(AzureError):
    """The operation was taken and ended in failure."""


class NotTaken(ProvisioningFailed):
    """The write ended well, and the group is not as it was asked for."""


class OperationTimedOut(AzureError):
    """Not finished by its deadline; the operation itself goes on in Azure."""


class Interrupted(AzureError):
    """The run was interrupted before this was sent."""


class StaleAction(AzureError):
    """The group moved between the plan and the write; nothing was written for it."""

    exit_code = ExitCode.STALE
