"""The rules that a contract can be made of, one file each. PURE."""
