"""The trial of one case: contract, comparison, verdict, naming, blind spots."""
