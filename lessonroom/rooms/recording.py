"""Records for the audit: who did what to what. Never a name, a text or a score."""

from __future__ import annotations

import secrets
import time

from lessonroom.storage.audit import AuditRecord
from lessonroom.storage.consent import ConsentRecord

SERVER = "server"
"""The actor of what the server does by itself."""


def record(actor: str, action: str, subject: str, /, **detail: str | int | float | bool | None) -> AuditRecord:
    """Something that is done now. ``actor``: a member's id, an admin key's short hash or :data:`SERVER`."""
    return AuditRecord(secrets.token_urlsafe(16), time.time(), actor, action, subject, detail)


def consent_said(said: ConsentRecord) -> AuditRecord:
    """The record of a word of consent; the same for the same word, so that it is written once."""
    action = "consent.given" if said.given else "consent.taken_back"
    about = {"purpose": said.purpose.value, "by": said.by.value, "text": said.text, "lang": said.lang}
    return AuditRecord(said.id, said.at, said.member, action, f"room:{said.room}", about)
