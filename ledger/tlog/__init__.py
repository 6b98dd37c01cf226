"""The transparency log's objects, one file each, after RFC 6962 / RFC 9162 and C2SP. PURE: stdlib and PyNaCl only."""
