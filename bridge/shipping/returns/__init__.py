"""Returns on demand: asked for once, made once, and kept."""
