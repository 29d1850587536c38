"""One module per subject: each does it on the engine and returns what was measured, with units."""
