"""Labels: fetched when asked for or when a shipment is confirmed, checked, kept, and given to whoever may see them."""
