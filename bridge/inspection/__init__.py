"""Questions of an operator that the database answers by itself: do the books add up, and what happened to this one?"""
