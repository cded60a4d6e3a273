"""ASGI routes: pages, sockets, WHIP, admin API and metrics."""
