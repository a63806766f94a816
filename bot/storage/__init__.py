"""The database, its tables and migrations, and one store for each noun."""
