"""The suites of DTLS that a guarded connection offers as the client.

aiortc offers those of ECDSA certificates alone. A client that waits for us to begin (``setup:passive``) may have one of
RSA, which RFC 8827 section 6.5 allows; whose it is, is known by its fingerprint either way.
"""

from __future__ import annotations

from typing import Any

from aiortc import RTCPeerConnection
from OpenSSL import SSL

from lessonroom.media.guard.inlet import replace

SUITES = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"
    b":ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305"
)
"""aiortc's own, which RFC 8827 names, before those of RSA that are as good: forward secret and authenticated."""


def take_rsa(peer: RTCPeerConnection) -> None:
    """Let this connection shake hands with a server of DTLS whose certificate is an RSA one."""
    private: Any = peer
    (certificate,) = private._RTCPeerConnection__certificates
    original = certificate._create_ssl_context

    def create(srtp_profiles: Any) -> SSL.Context:
        context: SSL.Context = original(srtp_profiles)
        context.set_cipher_list(SUITES)
        return context

    replace(certificate, "_create_ssl_context", create)
