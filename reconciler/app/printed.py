"""What the containers of a group printed, once or as they go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from reconciler.app.asked import Azure
from reconciler.core.containers import ContainerView
from reconciler.core.groups import LiveGroup
from reconciler.core.ids import GroupId
from reconciler.core.jsonval import dig
from reconciler.core.printed import Look, bare, fresh, is_stamped, look_of, since
from reconciler.errors import AzureError, Conflict, NotFound, UsageError
from reconciler.execute.look import view
from reconciler.execute.throttle import pause_for
from reconciler.execute.wait import is_passing

_WINDOW = 500  # lines of one look; more are asked for only where these do not reach back
_ANEW = "restarted: its log starts over, and what it printed last before that may be missing"
_GAP = "lines may be missing here: more was printed than Azure keeps"
_LOCAL_S = 0.2
_IDLE_S, _LONGEST_IDLE_S, _SLOWER = 2.0, 10.0, 1.5
# What clients have met while there is nothing to show (azure-facts A.8).
_NOT_YET = ("containergrouptransitioning", "containerlognotavailable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Which lines: of one container or all, the last ones, or those of the time just past."""

    container: str | None = None
    tail: int | None = None
    since: timedelta | None = None
    timestamps: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """Lines of one container; or, with no `lines`, something to know about them."""

    container: str
    lines: tuple[str, ...] = ()
    says: str = ""


def look_at(group: GroupId, azure: Azure, *, container: str | None = None) -> LiveGroup:
    """The group with its containers.

    Raises:
        UsageError: there is no such group in Azure, or no such container in it.
    """
    live = view(azure.cloud, group)
    if live is None:
        raise UsageError(f"group '{group}' does not exist in Azure", hint="apply it first")
    every = [one.name for one in live.containers]
    if container is not None and container not in every:
        raise UsageError(
            f"no container '{container}' in '{group}'", hint=f"there are: {', '.join(every)}"
        )
    return live


def logs(group: GroupId, azure: Azure, excerpt: Excerpt) -> tuple[tuple[str, str], ...]:
    """What one container, or each of a group, printed: pairs of name and text.

    Raises:
        UsageError: there is no such group in Azure, or no such container in it.
    """
    live = look_at(group, azure, container=excerpt.container)
    return tuple(
        (one.name, _text(group, one.name, azure, excerpt)) for one in _meant(live, excerpt)
    )


def _meant(live: LiveGroup, excerpt: Excerpt) -> list[ContainerView]:
    if excerpt.container is not None:
        return [one for one in live.containers if one.name == excerpt.container]
    return [one for one in live.containers if not one.is_init]


def _text(group: GroupId, container: str, azure: Azure, excerpt: Excerpt) -> str:
    if excerpt.since is None:
        return azure.cloud.logs(group, container, tail=excerpt.tail, timestamps=excerpt.timestamps)
    look = look_of(azure.cloud.logs(group, container, tail=None, timestamps=True))
    lines = _wanted((*look.lines, *([look.rest] if look.rest else [])), azure, excerpt)
    return "".join(f"{line if excerpt.timestamps else bare(line)}\n" for line in lines)


def _wanted(lines: tuple[str, ...], azure: Azure, excerpt: Excerpt) -> tuple[str, ...]:
    """Those of the first look that were asked for."""
    if excerpt.since is not None:
        lines = since(lines, azure.clock.now() - excerpt.since)
    return lines if excerpt.tail is None else lines[-excerpt.tail :]


def follow(group: GroupId, azure: Azure, excerpt: Excerpt) -> Iterator[Printed]:
    """Lines as containers print them, each once, until none of them can print any more.

    It ends when every container has ended for good, or the group was stopped or deleted. Costs one
    GET and one look a container each time, further apart while nothing is printed.

    Raises:
        UsageError: there is no such group in Azure, or no such container in it.
        AzureError: Azure refused for good.
    """
    first = look_at(group, azure, container=excerpt.container)
    live: LiveGroup | None = first
    followers = {
        one.name: _Follower(group, one.name, azure, excerpt) for one in _meant(first, excerpt)
    }
    idle_s = _IDLE_S
    while True:
        asked_s, is_news = 0.0, False
        try:
            live = live or view(azure.cloud, group)
            if live is None:
                yield Printed(container="", says=f"{group} was deleted")
                return
            over = _why_over(live, excerpt)
            for one in _meant(live, excerpt):
                # An update may bring containers of other names.
                follower = followers.setdefault(
                    one.name,
                    _Follower(group, one.name, azure, Excerpt(timestamps=excerpt.timestamps)),
                )
                for printed in follower.look(one, is_last=bool(over)):
                    is_news |= bool(printed.lines)
                    yield printed
            if over:
                yield Printed(container="", says=over)
                return
        except AzureError as exc:
            if not is_passing(exc):
                raise
            asked_s = exc.retry_after_s or 0.0
            yield Printed(container="", says=f"{exc}: looking again")
        idle_s = _IDLE_S if is_news else min(idle_s * _SLOWER, _LONGEST_IDLE_S)
        wished_s = _LOCAL_S if azure.pace.is_local else idle_s
        pause_s = pause_for(1 + len(followers), wished_s, azure.pace)
        azure.clock.sleep(max(pause_s, asked_s))
        live = None


def _why_over(live: LiveGroup, excerpt: Excerpt) -> str:
    """Why nothing more will be printed; empty where something may."""
    if live.in_transition:
        return ""
    if live.has_ended:
        return f"{live.id} is {live.state}"
    if not _meant(live, excerpt):
        return f"{live.id} has no container '{excerpt.container}' any more"
    ended = [one for one in _meant(live, excerpt) if _is_over(one, live)]
    if len(ended) < len(_meant(live, excerpt)):
        return ""
    said = ", ".join(f"'{one.name}' with exit code {one.exit_code}" for one in ended)
    return f"ended: {said}"


def _is_over(one: ContainerView, live: LiveGroup) -> bool:
    policy = dig(live.canonical, "properties", "restartPolicy")
    if one.state != "Terminated":
        return False
    return one.is_init or policy == "Never" or (policy == "OnFailure" and one.exit_code == 0)


@dataclass(slots=True)
class _Follower:
    """One container, and what has been seen of its log."""

    group: GroupId
    container: str
    azure: Azure
    excerpt: Excerpt
    known: tuple[str, ...] | None = None  # None: not looked at yet
    rest: str = ""
    run: tuple[str, int] = ("", 0)  # when it started and how often it restarted, at the last look
    now: tuple[str, int] = ("", 0)  # at this look
    is_waiting: bool = False

    def look(self, one: ContainerView, *, is_last: bool) -> Iterator[Printed]:
        """What is new; with `is_last` also what has no line break yet."""
        found = self._read(_WINDOW if self._is_short else None)
        if found is None:
            if not self.is_waiting and self.known is None and not is_last:
                self.is_waiting = True
                yield Printed(container=self.container, says="waiting for its first lines")
            return
        self.now = self._run_of(one)
        if self.known is None:
            yield self._told(_wanted(found.lines, self.azure, self.excerpt))
        else:
            says, new, found = self._news(self.known, found)
            if says:
                yield Printed(container=self.container, says=says)
            if new:
                yield self._told(new)
        self.known, self.rest, self.run = found.lines[-_WINDOW:], found.rest, self.now
        if is_last and self.rest:
            yield self._told((self.rest,))

    @property
    def _is_short(self) -> bool:
        """Whether the end of the log is enough."""
        if self.known is not None:
            return True
        tail = self.excerpt.tail
        return tail is not None and tail <= _WINDOW and self.excerpt.since is None

    def _news(self, known: tuple[str, ...], found: Look) -> tuple[str, tuple[str, ...], Look]:
        """What is to be said, the lines that are new, and the look they come from."""
        # Without their times the lines of another run may be those of this one, word for word.
        is_telling = is_stamped(known) or self.now == self.run
        new = fresh(known, found.lines) if is_telling else None
        if new is None and self.now == self.run:
            # More has come than a look shows, or it ran anew since it was viewed.
            found = self._read(None) or found
            new = fresh(known, found.lines)
            self.now = self.now if new is not None else self._runs_now()
        if new is not None:
            return "", new, found
        if self.now != self.run:
            return _ANEW, found.lines, found
        if not found.lines:
            return "", (), Look(known)  # nothing to tell from: it is as it was, for now
        return _GAP, found.lines, found

    def _runs_now(self) -> tuple[str, int]:
        live = view(self.azure.cloud, self.group)
        for one in () if live is None else live.containers:
            if one.name == self.container:
                return self._run_of(one)
        return self.run

    def _run_of(self, one: ContainerView) -> tuple[str, int]:
        """What tells one run from the next; one that waits or was stopped shows no new one."""
        return (one.started, one.restarts) if one.started else self.run

    def _told(self, lines: tuple[str, ...]) -> Printed:
        shown = lines if self.excerpt.timestamps else tuple(map(bare, lines))
        return Printed(container=self.container, lines=shown)

    def _read(self, tail: int | None) -> Look | None:
        """What Azure shows, None while it shows nothing."""
        try:
            text = self.azure.cloud.logs(self.group, self.container, tail=tail, timestamps=True)
        except (NotFound, Conflict) as exc:
            if (exc.code or "").lower() in _NOT_YET:
                return None
            raise
        return look_of(text)
