"""The command language: what each slash command is, how its text is parsed, and what is generated from that."""
