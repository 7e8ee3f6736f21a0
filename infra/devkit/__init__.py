"""What dev.py is made of: environment, embedded PostgreSQL, demo, checks. Standard library only."""
