"""What a checkout asks before there is a return: which services there are, where, and what they cost."""
