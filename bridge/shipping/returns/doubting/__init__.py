"""Returns of which nobody knows whether they were made: looked for, or settled by a person's word."""
