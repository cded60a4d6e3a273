"""Steps of the schema, for Alembic. Each step is for ever: a released one is never edited, the next one is added."""
