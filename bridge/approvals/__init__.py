"""Purchases as people see and steer them: held, approved, asked for again; over HTTP and as commands."""
