"""What becomes of returns is asked for: none of their providers tells it unasked."""
