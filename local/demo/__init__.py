"""`make demo`: sample orders through the unchanged template, and proof of what happened to each."""
