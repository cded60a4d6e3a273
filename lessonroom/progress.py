"""One progress bar for every command that takes long: on stderr, and only where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Show = Callable[[str, float, float], None]
"""What is being done, how much of it is done, how much there is."""


def unseen(what: str, done: float, of: float) -> None:
    """Show nothing: for callers that are no command."""


@contextmanager
def bar(title: str, *, shown: bool = True) -> Iterator[Show]:
    """A bar for as long as the context lasts. ``shown`` False: none, whatever stderr is."""
    from rich.console import Console  # noqa: PLC0415 - commands without a bar should be quick
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    console = Console(file=sys.stderr)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    # rich would otherwise send what is written to stdout the bar's way, past a pipe that waits for it
    progress = Progress(
        *columns,
        console=console,
        disable=not (shown and console.is_terminal),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with progress:
        task = progress.add_task(title)
        yield lambda what, done, of: progress.update(task, description=what, completed=done, total=max(of, 0.001))
