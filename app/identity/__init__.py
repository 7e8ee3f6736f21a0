"""Who is asking.

Ladder: graph, http → mapping → client_sessions, clients, jwt → sql → tables. Tokens are opaque; what one stands for,
PostgreSQL decides from its hash. Signed tokens are read in `jwt` alone.
"""
