"""What people are told: notices in the app, and pushes to the phone that hold no health data.

Ladder: graph, delivering → mapping, telling, pushing, wishes, live → fcm → sql, http1 → tables → messages → quiet →
kinds.
"""
