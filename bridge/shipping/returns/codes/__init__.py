"""Codes made in advance: they lie in parcels, and become returns when they are activated."""
