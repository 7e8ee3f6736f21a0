"""What people are told: notices in the app, and pushes to the phone that hold no health data.

Ladder: graph → mapping → telling, pushing, devices, preferences → fcm → sql → tables → messages → quiet → kinds.
"""
