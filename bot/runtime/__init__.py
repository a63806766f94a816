"""What keeps the work durable: the journal, the engine, the pace of a sender."""
