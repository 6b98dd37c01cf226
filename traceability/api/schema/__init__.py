"""The machine-readable description of the API: what /api/schema answers, as tables."""
