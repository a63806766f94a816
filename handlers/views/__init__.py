"""Pure Block Kit builders; each owns its ids, and reads back what it built."""
