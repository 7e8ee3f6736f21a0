"""The only key to a health book: open_book for reading, open_filing for writing.

Ladder: mapping → sql/*.sql → tables → scope. PostgreSQL decides who sees a row; nothing here decides it in Python.
"""
