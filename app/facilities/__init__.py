"""Where care happens: facilities and the keys of their systems.

Ladder: mapping → registry → sql → tables. Names and levels are public facts; only the service door writes them.
"""
