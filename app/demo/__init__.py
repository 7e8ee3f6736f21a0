"""Made-up people and a believable year of their care, pushed through the hospitals' own door.

people → care (what happened) → messages (how a hospital writes it down) → load (through `app.connector`).
Every draw is seeded by the caller's seed and the citizen's number: the same seed and day give the same bytes,
and citizen 7 is the same person whether 10 or 10,000 citizens are made.
"""
