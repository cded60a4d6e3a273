"""Rooms: the sans-IO lesson and the hub that carries its effects out."""
