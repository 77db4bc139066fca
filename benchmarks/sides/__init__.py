"""The sides that are compared, each a program of its own: they share nothing but their settings."""
