"""The visitors' book: who looked into a book and who changed a right, one numbered line each, chained.

Ladder: sql/*.sql → tables.
"""
