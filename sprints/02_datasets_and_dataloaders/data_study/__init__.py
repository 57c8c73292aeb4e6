"""Parts of sprint 2: the seven fruits of the notes, and tables as people have them."""
