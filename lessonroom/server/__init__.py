"""ASGI routes: pages, admission, sockets, WHIP, administration, health."""
