"""What several scripts of sprint 9 use."""
