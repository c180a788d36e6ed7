"""Money and returns: what one costs whom, and that its customer was paid back."""
