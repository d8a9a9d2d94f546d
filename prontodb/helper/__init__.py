"""The resident process of one shell, which the functions that `shell init` brings talk to (DESIGN §10)."""
