"""Parts of the scripts of this sprint that are not their lesson."""
