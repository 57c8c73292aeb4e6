"""Parts of sprint 4: digits, the networks and the recipe that learn them, and what their scripts measure by."""
