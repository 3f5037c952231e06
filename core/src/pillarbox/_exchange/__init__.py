"""HTTP over one connection, for plugins and for core itself: one deadline for each exchange, and bounds for what comes."""
