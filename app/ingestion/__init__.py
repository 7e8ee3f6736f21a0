"""What hospitals send.

Ladder: http → processing, matching → sql → tables → verdict, catalogue. `xml` and `qd4750` are pure: bytes become
arrivals. A message is kept, sealed, before it is understood, and always has a receipt.
"""
