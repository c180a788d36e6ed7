"""Orders to a courier to collect shipments. Values; they know no carrier."""
