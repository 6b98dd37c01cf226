"""From the tables of the rooms below to facts: bulk queries, never one per subject."""
