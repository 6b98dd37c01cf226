"""The demo and load world. It plans with its own words, posts through the front doors, and imports no detector."""
