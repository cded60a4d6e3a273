"""A child for tests: says back what it hears, and ends, hangs, babbles or refuses when it is told to."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from lessonroom.errors import ModelRefused
from lessonroom.processes import inside
from lessonroom.processes.frames import Message

REFUSED = 13


def main() -> None:
    idle: list[str] = []

    def start(hello: Message) -> inside.Handle:
        if hello["number"] == REFUSED:
            raise ModelRefused("expected another number, got this one")

        def handle(message: Message) -> Iterator[Message]:
            match message["do"]:
                case "end":
                    os._exit(3)
                case "hang":
                    time.sleep(60)
                case "idle":
                    yield {"idle": len(idle)}
                case "babble":
                    os.write(int(inside.sys.argv[1]), b"\0\0\0\1x")
                case _:
                    yield {"hello": hello, "pid": os.getpid()}
                    yield message

        return handle

    inside.serve(start, idle=lambda: idle.append("once"), every=0.05)


if __name__ == "__main__":
    main()
