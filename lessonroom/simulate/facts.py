"""Facts of people for whom the packaged policy table allows the server's analyser: for demos, benches and tests."""

from __future__ import annotations

from lessonroom.policy import Band, Setting
from lessonroom.server.admission import About

PLACE = "US-CA"
"""Where everybody is, and the platform with them."""
SETTING = Setting.SELF
ADULT = About(PLACE, Band.ADULT)
"""A student or a teacher of 18 or more."""
