"""What the report on a file calls things, in English. The pages have their own catalogues."""

from __future__ import annotations

from lessonroom.media.types import Cue, Unseen, Watching

CUES = {
    Cue.STUCK_BUTTON: "Pressed “I'm stuck”",
    Cue.FROWNING: "May be finding this hard",
    Cue.DISTRESS: "May be feeling discouraged",
    Cue.DISENGAGED: "May be getting tired",
    Cue.CHAT: "Wrote that something is unclear",
    Cue.EXERCISE: "Finds an exercise hard",
}
ADVICE = {
    "ask_what_is_unclear": "You could ask which part is unclear.",
    "explain_again": "You could explain it once more in other words.",
    "smaller_step": "You could split the task into smaller steps.",
    "slow_down": "You could slow down for a moment.",
    "give_example": "You could show an example.",
    "encourage": "You could say what has already gone well.",
    "easier_task": "You could try an easier task first.",
    "short_break": "You could take a short break.",
    "ask_opinion": "You could ask what the student thinks about it.",
    "change_activity": "You could switch to something different for a while.",
    "first_step_together": "You could do the first step together.",
}
UNSEEN = {
    Unseen.NO_FACE: "no face in the picture",
    Unseen.SEVERAL_FACES: "more than one face",
    Unseen.TOO_SMALL: "face too small",
    Unseen.TOO_DARK: "too dark",
    Unseen.TOO_BRIGHT: "too bright",
    Unseen.BLURRED: "blurred",
    Unseen.TURNED_AWAY: "turned away",
    Unseen.CUT_OFF: "face cut off by the edge",
    Unseen.COVERED: "face covered",
    Unseen.NOT_LOOKED: "not looked at",
}
WATCHING = {
    Watching.LEARNING: "Getting to know the face",
    Watching.WATCHING: "Watching",
    Watching.UNSURE: "Unsure",
}


def clock(seconds: float) -> str:
    """62.0 -> "1:02", 3661.0 -> "1:01:01"."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def lasting(seconds: float) -> str:
    """62.0 -> "1 min 2 s"."""
    minutes, left = divmod(round(seconds), 60)
    if not minutes:
        return f"{left} s"
    return f"{minutes} min {left} s" if left else f"{minutes} min"
