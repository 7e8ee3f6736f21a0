"""Care to come: what facilities offer, who is booked, who waits, and a calendar that tells nothing.

Ladder: graph | http → mapping → publishing | booking | feeds → reading | calendar → expansion → sql → tables →
schedules | enums. A place of a slot is counted under the slot's lock; that one citizen is at two places at once, an
exclusion constraint refuses. Locks are taken in one order: book, slots by id, waiting entries.
"""
