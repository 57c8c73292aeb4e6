"""Parts that several scripts of this sprint use."""
