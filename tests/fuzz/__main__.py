"""``python -m tests.fuzz --inputs 1000000 --seed 1 --target all``: exits 1 when something was found."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.fuzz.apart import share, survive
from tests.fuzz.runner import FOUND, Tally, keep
from tests.fuzz.targets import TARGETS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000, help="over all targets together")
    parser.add_argument("--seed", default="1", help="the same seed makes the same inputs")
    parser.add_argument("--target", default="all", choices=["all", *TARGETS])
    asked = parser.parse_args(arguments)
    chosen = list(TARGETS.values()) if asked.target == "all" else [TARGETS[asked.target]]
    tallies = []
    for target, inputs in share(chosen, asked.inputs):
        print(f"{target.name}: {inputs} inputs ...", file=sys.stderr, flush=True)
        tallies.append(survive(target.name, inputs, asked.seed))
        _tell(tallies[-1])
    inputs, finds = sum(tally.inputs for tally in tallies), sum(len(tally.finds) for tally in tallies)
    print(f"{inputs} inputs in {sum(tally.seconds for tally in tallies):.0f} s, {finds} finds")
    return 1 if finds else 0


def _tell(tally: Tally) -> None:
    print(
        f"{tally.target:<10} {tally.inputs:>8} inputs  {tally.taken:>8} taken  {tally.refused:>8} refused  "
        f"{tally.seconds:>6.0f} s  slowest {tally.slowest * 1000:>4.0f} ms CPU  {len(tally.finds)} finds",
        flush=True,
    )
    for find in tally.finds:
        print(f"  {find.kind} at {find.where}: {keep(find).relative_to(FOUND.parent.parent.parent)}\n{find.trace}")


if __name__ == "__main__":
    sys.exit(main())
