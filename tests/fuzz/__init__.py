"""Fuzzing: honest inputs, mutated by a seeded generator, into everything that reads what strangers send.

``python -m tests.fuzz --inputs N --target NAME`` runs it; ``make fuzz`` is the nightly command. A reader may take an
input or raise an error of :mod:`lessonroom.errors`. Anything else is a find: another exception, a broken promise, more
than :data:`tests.fuzz.runner.MOST_CPU` seconds of CPU, the death of the process. Finds are written to
``tests/fuzz/found`` and tried again by every test run.
"""
