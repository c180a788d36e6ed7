"""What is set right without being asked: for now, what is older than it is kept for goes."""
