"""First cases for a file of layers, drafted from its text alone."""
