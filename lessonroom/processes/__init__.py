"""Work in processes of its own: what would take the processor from the rooms, or could take them down with it."""
