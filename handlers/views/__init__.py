"""Pure Block Kit builders. Each module owns the ids of its blocks and parses what it built."""
