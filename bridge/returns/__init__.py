"""Returns: what is asked for, what a provider made of it, and what became of it, whichever provider it is."""
