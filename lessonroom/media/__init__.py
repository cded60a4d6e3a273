"""From frame to hint: the media line."""
