"""Settings of one's own for a server that is measured: what differs from the one that everybody's figures are of."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from lessonroom.config import Settings
from lessonroom.errors import BadInput

KEPT: Final = frozenset({"host", "port", "data_dir", "admin_keys", "database_url", "turn_urls", "turn_secret"})
"""What every such server has of its own, and secrets: what is chosen stands in the figures."""


def chosen(pairs: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """``NAME=VALUE`` each, as a mapping; the server judges the values. ``taken``: names that the bench chooses itself.

    Raises BadInput for a name that is taken, or that no setting has.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name not in Settings.model_fields:
            raise BadInput(f"--setting: expected NAME=VALUE with a name of `lessonroom settings`, got {name}")
        if name in KEPT or name in taken:
            raise BadInput(f"--setting: expected one that the bench does not choose itself, got {name}")
        found[name] = value
    return found
