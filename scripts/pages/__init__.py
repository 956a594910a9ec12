"""Man pages and shell completions, made from the tables that the parsers are made of."""
