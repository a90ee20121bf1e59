"""A Report drawn for somebody: a person at a terminal, or a program. Knows the model and nothing else."""
