"""Nouns that everyone needs: settings, database, context, errors, ids, keys, logs, clock."""
