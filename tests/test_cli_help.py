"""The lists of commands that ``--help`` prints: whole sentences, not beginnings of some."""

from __future__ import annotations

import click
import pytest

from lessonroom.cli import commands

COLUMNS = 78
"""What click fills of a terminal of 80 columns."""
AROUND = 6
"""Columns that click leaves free before, between and after the names and the summaries."""


def _groups(group: click.Group) -> list[click.Group]:
    inner = [each for each in group.commands.values() if isinstance(each, click.Group)]
    return [group, *(found for each in inner for found in _groups(each))]


@pytest.mark.parametrize("group", _groups(commands), ids=lambda group: group.name)
def test_no_summary_in_a_list_of_commands_is_cut_off(group: click.Group) -> None:
    limit = COLUMNS - AROUND - max(map(len, group.commands))
    told = {name: each.get_short_help_str(limit) for name, each in group.commands.items()}
    assert {name: words for name, words in told.items() if words.endswith("...")} == {}
