"""Stand-ins for services of others, on loopback."""
