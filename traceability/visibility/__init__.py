"""Who may see which event, claim, count and proof."""
