"""Single pictures, for research: scores, measures against labels, a strain head from labels. No server imports it."""
