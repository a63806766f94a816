"""One adapter for each WhatsApp provider, behind one protocol."""
