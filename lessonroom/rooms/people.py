"""Who is in a lesson: members, their sockets and the list that everybody sees. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

from lessonroom.messages import MemberView, Problem, Role, Signal, SignalSend, ToPage
from lessonroom.rooms.effects import Effect, Send

ANALYSER = "analyser"
"""Id and role of the analyser in the member list."""

Row = tuple[str, str, str, str | None, bool]
"""What the list says of a member: id, name, role, page, whether they are here."""


@dataclass(slots=True)
class Person:
    """One member. ``socket`` is None while they are away.

    ``seen``: the highest chat number that their socket was given, None while it is being caught up;
    ``welcomed``: whether the socket had its welcome; ``said_at``: times of their latest admitted messages.
    """

    id: str
    role: str
    name: str
    socket: int | None = None
    page: str | None = None
    seen: int | None = None
    welcomed: bool = False
    said_at: deque[float] = field(default_factory=deque)

    @property
    def present(self) -> bool:
        """Whether a page of theirs is connected."""
        return self.socket is not None

    def away(self) -> None:
        """Forget the socket."""
        self.socket = self.page = self.seen = None
        self.welcomed = False

    def row(self) -> Row:
        """Their row in the list."""
        return self.id, self.name, self.role, self.page, self.socket is not None


class People:
    """The members of one room, in the order in which they were made."""

    def __init__(self, people: Iterable[Person] = ()) -> None:
        self._by_id = {person.id: person for person in people}

    def __iter__(self) -> Iterator[Person]:
        return iter(self._by_id.values())

    def add(self, person: Person) -> Person:
        """The member of this id, new or known."""
        return self._by_id.setdefault(person.id, person)

    def get(self, member: str) -> Person | None:
        """The member, if this room has them."""
        return self._by_id.get(member)

    def on(self, socket: int) -> Person | None:
        """Whose socket this is, if it still counts."""
        return next((person for person in self if person.socket == socket), None)

    def first(self, role: str) -> Person | None:
        """The teacher or the student: the one that is present, else the first that was made."""
        found = [person for person in self if person.role == role]
        return next((person for person in found if person.present), found[0] if found else None)

    def present(self, role: str | None = None) -> list[Person]:
        """Those who are here."""
        return [person for person in self if person.present and role in {None, person.role}]

    @property
    def meet(self) -> bool:
        """Whether teacher and student are here."""
        return bool(self.present("teacher") and self.present("student"))

    def rows(self, *, analyser: bool) -> list[Row]:
        """The member list, as it is quickly made and compared; the analyser stands in it while it runs."""
        rows = [person.row() for person in self]
        if analyser:
            rows.append((ANALYSER, "", ANALYSER, None, True))
        return rows

    def tell(self, person: Person | None, message: ToPage) -> list[Effect]:
        """Send to one member, if they are here and were welcomed."""
        if person is None or person.socket is None or not person.welcomed:
            return []
        return [Send(person.socket, message)]

    def tell_all(self, message: ToPage, role: str | None = None) -> list[Effect]:
        """Send to everybody who is here, or to everybody of a role."""
        return [effect for person in self.present(role) for effect in self.tell(person, message)]

    def signal(self, person: Person, message: SignalSend) -> list[Effect]:
        """Relay what one page says to the other, if that page is still the one that is here."""
        if (message.description is None) == (message.candidate is None) or person.page is None:
            return self.tell(person, Problem(code="bad_message"))
        other = self.get(message.to)
        if other is None or other is person or other.page != message.page:
            return []  # meant for a page that is gone; its successor negotiates anew
        said = Signal(sender=person.id, page=person.page, description=message.description, candidate=message.candidate)
        return self.tell(other, said)


def view(rows: Iterable[Row]) -> list[MemberView]:
    """The member list, as pages get it."""
    return [
        MemberView(id=id_, name=name, role=cast("Role", role), page=page, present=present)
        for id_, name, role, page, present in rows
    ]
