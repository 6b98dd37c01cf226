"""Reports: the same one as a page, as CSV and on paper, for a party and for the regulator."""
