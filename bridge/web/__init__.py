"""What every HTTP edge shares: problems, access, and the routes for operators and the event contract."""
