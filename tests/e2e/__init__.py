"""Whole stories with real processes: what other teams do with the bridge, from the first request to the last event."""
