"""Parts of sprint 5: recipes as words and pairs, and what vectors, maps and positions are judged by."""
