"""Orders that a provider is told of before anything of them comes back."""
