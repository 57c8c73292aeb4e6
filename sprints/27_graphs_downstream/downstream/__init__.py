"""What several scripts of this sprint use."""
