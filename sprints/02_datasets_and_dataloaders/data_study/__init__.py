"""Parts of sprint 2: tables as people have them, read whole or refused by line."""
