"""The health book.

Ladder: graph → book, mapping → filing → sql → tables → arrivals, clinical, papers, enums.
A record is filed once per source version; a corrected one replaces it and the old version stays. Every table is keyed
by the citizen and guarded by policies that raise when no book is open.
"""
