"""The parts of the read bench."""
