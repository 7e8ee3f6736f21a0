"""The commands of the service door, one file a noun."""
