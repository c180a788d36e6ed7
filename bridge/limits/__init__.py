"""What one carrier connection may be asked, and how often: pure rules over the one row that all replicas share."""
