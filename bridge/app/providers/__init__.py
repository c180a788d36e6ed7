"""Providers of returns, a file each: what is made of one where its account is set up, and loaded only then."""
