"""Where a parcel has been, as a carrier tells everybody. Values; they know no carrier."""
