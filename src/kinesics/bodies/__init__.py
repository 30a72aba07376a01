"""The bodies and faces that performances drive."""
