"""Lessons: what happens in them (pure) and the hub that carries it out."""
